// The builder's own end: takes caissond's orders one after the other.
#ifndef CAISSON_ORCHESTRATOR_BUILDER_LOOP_H_
#define CAISSON_ORCHESTRATOR_BUILDER_LOOP_H_

#include <sys/types.h>

#include <vector>

#include "common/unique_fd.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/profile_store.h"
#include "sandbox/spawner.h"

namespace caisson::orchestrator {

// What the fork leaves to the builder. All of it is caissond's of the moment of the fork.
struct BuilderInheritance {
  UniqueFd socket;  // blocking
  sandbox::Spawner& spawner;
  CgroupBackend& cgroups;
  const std::vector<const StepPlan*>& plans;
  pid_t parent;  // caissond
};

// In the forked child: closes what it has no use for, and works until caissond is gone.
[[noreturn]] void RunBuilder(BuilderInheritance inheritance);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_BUILDER_LOOP_H_
