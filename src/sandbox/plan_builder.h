// Turns one step of a profile into the sealed plan that init follows. Run by caissond at load, as root.
#ifndef CAISSON_SANDBOX_PLAN_BUILDER_H_
#define CAISSON_SANDBOX_PLAN_BUILDER_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "policy/filter_compiler.h"
#include "policy/profile.h"
#include "sandbox/plan.h"

namespace caisson::sandbox {

struct PlanOptions {
  std::string staging_path;  // an empty directory of caissond's own
  uint32_t landlock_abi = 1;
  uint32_t denials_per_second = 10'000;
  uint32_t notify_flags = 0;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV where the kernel has it
  bool terminal = false;  // for runs with a terminal: /dev/pts and /dev/tty, and `filter` is the one for them
  // What the sources of binds are paths of: a descriptor of the directory where an image is mounted, in the
  // mount namespace that init will see, or the host's own root.
  int root = policy::kHostRoot;
};

// A sealed memfd with the plan. Looks at the root to learn whether a bind's source is a file or a directory
// and leaves out optional binds whose source is missing; kFailedPrecondition names a required one. Links in
// an image are followed within it, and the plan holds where they lead.
absl::StatusOr<UniqueFd> BuildPlan(const policy::StepSection& step, const policy::CompiledFilter& filter,
                                   const PlanOptions& options);

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_PLAN_BUILDER_H_
