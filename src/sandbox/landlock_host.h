// What this host's kernel offers of Landlock, and the rights a sandbox gets of it.
#ifndef CAISSON_SANDBOX_LANDLOCK_HOST_H_
#define CAISSON_SANDBOX_LANDLOCK_HOST_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "policy/profile.h"
#include "sandbox/plan.h"

namespace caisson::sandbox {

// Landlock's file-system rights (linux/landlock.h); Debian 12's header ends at ABI 2.
namespace landlock {
inline constexpr uint64_t kExecute = 1ULL << 0U;
inline constexpr uint64_t kWriteFile = 1ULL << 1U;
inline constexpr uint64_t kReadFile = 1ULL << 2U;
inline constexpr uint64_t kReadDir = 1ULL << 3U;
inline constexpr uint64_t kMakeChar = 1ULL << 6U;
inline constexpr uint64_t kMakeBlock = 1ULL << 11U;
inline constexpr uint64_t kRefer = 1ULL << 13U;     // ABI 2
inline constexpr uint64_t kTruncate = 1ULL << 14U;  // ABI 3
inline constexpr uint64_t kIoctlDev = 1ULL << 15U;  // ABI 5
// Rights that a rule on a regular or device file may grant; the others make sense for directories only.
inline constexpr uint64_t kFileRights = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDev;
}  // namespace landlock

// The ABI level of the running kernel, 1 or more; kFailedPrecondition if it has no Landlock.
absl::StatusOr<uint32_t> LandlockAbi();

// Every right that `abi` knows; the TCP rights only under network `none`.
PlanLandlock HandledRights(uint32_t abi, policy::NetworkMode network);

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_LANDLOCK_HOST_H_
