// Makes one never-used sandbox: cgroups with limits, user namespace, init started. What is built here is used
// for one step of one run and then destroyed; nothing takes a used one back.
//
// Runs in the builder process alone (builder_process.h), where it may block.
#ifndef CAISSON_ORCHESTRATOR_SANDBOX_BUILDER_H_
#define CAISSON_ORCHESTRATOR_SANDBOX_BUILDER_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pidfd.h"
#include "common/unique_fd.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/profile_store.h"
#include "sandbox/root_template.h"
#include "sandbox/setup_stage.h"
#include "sandbox/spawner.h"

namespace caisson::orchestrator {

// A sandbox whose init has been started and is building its root.
struct Sandbox {
  std::string run;  // the cgroups' name
  sandbox::RunIds ids;
  std::unique_ptr<RunCgroup> cgroup;
  PidFd init;
  pid_t init_pid = 0;       // for the builder alone, who is not its parent
  ino_t root_template = 0;  // the mount namespace of which it has a copy
  UniqueFd control;
};

struct BuildFailure {
  sandbox::SetupStage stage = sandbox::SetupStage::kNone;
  absl::Status status;
};

// What is wanted. The sizes were checked against the profile's ceilings, the ids are nobody else's.
struct BuildOrder {
  std::string run;
  sandbox::RunIds ids;
  uint64_t disk_bytes = 0;
  uint64_t inode_count = 0;
};

// What a sandbox is built with, until START brings those of its run.
CgroupLimits DefaultLimits(const StepPlan& plan);

class SandboxBuilder {
 public:
  SandboxBuilder(sandbox::Spawner& spawner, CgroupBackend& cgroups) : spawner_(spawner), cgroups_(cgroups) {}

  // On success `failure` is untouched. On failure nothing runs, and cgroups of the order's name may be left.
  bool Build(const StepPlan& plan, const BuildOrder& order, Sandbox& sandbox, BuildFailure& failure);

 private:
  // The mount namespace that the plan's runs begin with: built at the first one. One that could not be built
  // is tried again by the next.
  absl::StatusOr<sandbox::RootTemplate*> TemplateOf(const StepPlan& plan, sandbox::SetupStage& stage);
  absl::Status BuildSteps(const StepPlan& plan, const BuildOrder& order, Sandbox& sandbox,
                          sandbox::SetupStage& stage);

  sandbox::Spawner& spawner_;
  CgroupBackend& cgroups_;
  std::map<const StepPlan*, sandbox::RootTemplate> root_templates_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_SANDBOX_BUILDER_H_
