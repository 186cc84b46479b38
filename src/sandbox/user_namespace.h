// The single-use user namespace of one run.
#ifndef CAISSON_SANDBOX_USER_NAMESPACE_H_
#define CAISSON_SANDBOX_USER_NAMESPACE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::sandbox {

// Host ids of one run. Neither is ever 0, and no other run has them.
struct RunIds {
  uint32_t init_host_id = 0;     // uid and gid of init
  uint32_t payload_host_id = 0;  // uid and gid of the payload
};

// A descriptor of a new user namespace in which kInitUid and kPayloadUid are mapped to `ids` and nothing else
// is, setgroups is denied and user.max_user_namespaces is 0. A short-lived child on `stack` makes it; none is
// left. Needs root in the initial user namespace. Blocks for the child's few system calls.
absl::StatusOr<UniqueFd> PrepareUserNamespace(const RunIds& ids, std::span<std::byte> stack);

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_USER_NAMESPACE_H_
