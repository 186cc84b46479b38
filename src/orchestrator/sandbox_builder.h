// Makes one never-used sandbox: cgroups with limits, ids, user namespace, init started. What is built here is
// used for one step of one run and then destroyed; nothing takes a used one back.
#ifndef CAISSON_ORCHESTRATOR_SANDBOX_BUILDER_H_
#define CAISSON_ORCHESTRATOR_SANDBOX_BUILDER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pidfd.h"
#include "common/unique_fd.h"
#include "ipc/messages.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/held_locks.h"
#include "orchestrator/id_pool.h"
#include "orchestrator/profile_store.h"
#include "sandbox/setup_stage.h"
#include "sandbox/spawner.h"

namespace caisson::orchestrator {

// A sandbox whose init has been started and is building its root.
struct Sandbox {
  sandbox::RunIds ids;
  std::unique_ptr<RunCgroup> cgroup;
  PidFd init;
  UniqueFd control;
};

struct BuildFailure {
  sandbox::SetupStage stage = sandbox::SetupStage::kNone;
  absl::Status status;
};

class SandboxBuilder {
 public:
  SandboxBuilder(sandbox::Spawner& spawner, CgroupBackend& cgroups, IdPool& ids)
      : spawner_(spawner), cgroups_(cgroups), ids_(ids) {}

  // On success `failure` is untouched. On failure nothing runs, and what was made so far is in `sandbox` for
  // Dispose.
  bool Build(const StepPlan& plan, uint64_t disk_bytes, uint64_t inode_count, Sandbox& sandbox,
             BuildFailure& failure);

  // Returns the ids once the cgroups are removed; kUnavailable while they are still busy.
  absl::Status Dispose(Sandbox& sandbox);

  // One for all runs, since their counting shares caissond's time.
  LockCounter& lock_counter() { return lock_counter_; }

 private:
  absl::Status BuildSteps(const StepPlan& plan, uint64_t disk_bytes, uint64_t inode_count, Sandbox& sandbox,
                          sandbox::SetupStage& stage);

  sandbox::Spawner& spawner_;
  CgroupBackend& cgroups_;
  IdPool& ids_;
  LockCounter lock_counter_;
  uint64_t next_run_ = 1;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_SANDBOX_BUILDER_H_
