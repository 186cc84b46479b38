// What all runs of one plan begin with: a mount namespace that holds the plan's root, built once. Each run's
// init takes a copy of it (init/build_root.h), so no run pays for the binds again, and none is ever in it.
#ifndef CAISSON_SANDBOX_ROOT_TEMPLATE_H_
#define CAISSON_SANDBOX_ROOT_TEMPLATE_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "sandbox/setup_stage.h"
#include "sandbox/spawner.h"

namespace caisson::sandbox {

struct RootTemplate {
  UniqueFd mounts;  // keeps the namespace, in which no process is left
  ino_t inode = 0;  // by which others know it
};

// Blocks until it stands, or for ten seconds. `stage` is where it failed, if it did.
absl::StatusOr<RootTemplate> BuildRootTemplate(Spawner& spawner, int plan, SetupStage& stage);

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_ROOT_TEMPLATE_H_
