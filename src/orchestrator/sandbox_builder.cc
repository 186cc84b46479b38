// Run by the builder process as root. Input: numbers that caissond has checked against the profile's
// ceilings.
#include "orchestrator/sandbox_builder.h"

#include <sys/socket.h>

#include <span>

#include "common/packet_socket.h"
#include "common/status.h"
#include "sandbox/plan.h"

namespace caisson::orchestrator {
namespace {

using sandbox::SetupStage;

absl::Status SendSetup(int control, const Sandbox& sandbox, const StepPlan& plan, uint64_t disk_bytes,
                       uint64_t inode_count) {
  sandbox::SetupMessage setup{};
  setup.magic = sandbox::kControlMagic;
  setup.type = sandbox::ControlType::kSetup;
  setup.payload_host_uid = sandbox.ids.payload_host_id;
  setup.payload_host_gid = sandbox.ids.payload_host_id;
  setup.init_cgroup_fds = static_cast<uint32_t>(sandbox.cgroup->init_procs_fds().size());
  setup.payload_cgroup_fds = static_cast<uint32_t>(sandbox.cgroup->payload_procs_fds().size());
  setup.disk_bytes = disk_bytes;
  setup.inode_count = inode_count;
  setup.tty = plan.terminal ? 1 : 0;
  return SendPacket(control, std::as_bytes(std::span(&setup, 1)));
}

// init reads its end with blocking calls; only caissond's end must never block.
absl::StatusOr<std::pair<UniqueFd, UniqueFd>> MakeControlPair() {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoStatus(errno, "socketpair");
  }
  return std::make_pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

}  // namespace

CgroupLimits DefaultLimits(const StepPlan& plan) {
  const policy::Limits& defaults = plan.limits.defaults;
  return {defaults.Get(policy::LimitId::kMemoryBytes), defaults.Get(policy::LimitId::kPids),
          defaults.Get(policy::LimitId::kCpuMillis)};
}

bool SandboxBuilder::Build(const StepPlan& plan, const BuildOrder& order, Sandbox& sandbox,
                           BuildFailure& failure) {
  SetupStage stage = SetupStage::kNone;
  const absl::Status status = BuildSteps(plan, order, sandbox, stage);
  if (!status.ok()) {
    failure = {stage, status};
  }
  return status.ok();
}

absl::StatusOr<sandbox::RootTemplate*> SandboxBuilder::TemplateOf(const StepPlan& plan, SetupStage& stage) {
  sandbox::RootTemplate& root = root_templates_[&plan];
  if (!root.mounts.valid()) {
    ASSIGN_OR_RETURN(root, sandbox::BuildRootTemplate(spawner_, plan.plan.get(), stage));
  }
  return &root;
}

absl::Status SandboxBuilder::BuildSteps(const StepPlan& plan, const BuildOrder& order, Sandbox& sandbox,
                                        SetupStage& stage) {
  sandbox.run = order.run;
  sandbox.ids = order.ids;
  ASSIGN_OR_RETURN(const sandbox::RootTemplate* root_template, TemplateOf(plan, stage));
  sandbox.root_template = root_template->inode;
  // ORDER: the limits stand before any process of the run exists.
  stage = SetupStage::kCgroup;
  ASSIGN_OR_RETURN(sandbox.cgroup, cgroups_.CreateRun(order.run));
  RETURN_IF_ERROR(sandbox.cgroup->SetLimits(DefaultLimits(plan)));
  if (plan.network != policy::NetworkMode::kNone) {
    RETURN_IF_ERROR(sandbox.cgroup->BoundSockets());
  }

  stage = SetupStage::kUserNamespace;
  ASSIGN_OR_RETURN(const UniqueFd user_namespace,
                   sandbox::PrepareUserNamespace(sandbox.ids, spawner_.stack()));

  stage = SetupStage::kClone;
  ASSIGN_OR_RETURN(auto ends, MakeControlPair());
  RETURN_IF_ERROR(SendSetup(ends.first.get(), sandbox, plan, order.disk_bytes, order.inode_count));
  sandbox::SpawnRequest request;
  request.control = ends.second.get();
  request.plan = plan.plan.get();
  request.user_namespace = user_namespace.get();
  request.root_template = root_template->mounts.get();
  request.cgroup_directory = sandbox.cgroup->clone_into_fd();
  request.init_procs_fds = sandbox.cgroup->init_procs_fds();
  request.payload_procs_fds = sandbox.cgroup->payload_procs_fds();
  sandbox::StartedChild init;
  const absl::Status spawned = spawner_.SpawnInit(request, stage, init);
  sandbox.init = std::move(init.process);
  sandbox.init_pid = init.pid;
  RETURN_IF_ERROR(spawned);
  sandbox.control = std::move(ends.first);
  sandbox.cgroup->CloseProcsFds();
  return absl::OkStatus();
}

}  // namespace caisson::orchestrator
