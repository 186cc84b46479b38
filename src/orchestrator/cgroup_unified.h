// The unified backend: pure cgroup v2, every controller in one tree. Run by caissond as root.
//
//   <own>                        +memory +pids +cpu for its children; holds no process unless it is the root
//   cgroup <own>/<instance>-supervisor  caissond itself, and the dispatcher that it starts
//   <own>/<instance>/<run>       limit + reserve
//   …/init, …/payload            leaves; memory.oom.group on payload: one OOM kill ends all of it
#ifndef CAISSON_ORCHESTRATOR_CGROUP_UNIFIED_H_
#define CAISSON_ORCHESTRATOR_CGROUP_UNIFIED_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/cgroup_io.h"

namespace caisson::orchestrator {

struct UnifiedTree {
  UniqueFd instance;
  bool has_swap_max = false;
  KillMethod kill = KillMethod::kCgroupKill;
};

class UnifiedRun final : public RunCgroup {
 public:
  static absl::StatusOr<std::unique_ptr<RunCgroup>> Create(std::shared_ptr<const UnifiedTree> tree,
                                                           const std::string& name);

  absl::Status BoundSockets() override;
  static std::unique_ptr<RunCgroup> Adopt(std::shared_ptr<const UnifiedTree> tree, const std::string& name,
                                          CgroupHandles handles);
  CgroupHandles Release() override { return {std::move(cpu_stat_), UniqueFd(), held_}; }
  absl::StatusOr<CgroupLimits> ReadLimits() const override;
  int clone_into_fd() const override { return init_directory_.get(); }
  std::vector<int> init_procs_fds() const override { return {}; }
  std::vector<int> payload_procs_fds() const override;
  void CloseProcsFds() override { payload_procs_.clear(); }
  absl::StatusOr<std::vector<pid_t>> PayloadPids() const override;
  absl::StatusOr<bool> PayloadIsEmpty() const override;
  absl::StatusOr<std::vector<pid_t>> PayloadThreads() const override;
  absl::Status KillPayload() override;
  absl::Status KillAll() override;
  int oom_event_fd() const override { return -1; }
  absl::StatusOr<uint64_t> CpuMicros() const override;
  absl::StatusOr<CgroupUsage> ReadUsage() const override;
  absl::StatusOr<MemoryParts> ReadMemoryParts() const override;
  absl::Status TryRemove() override;

 private:
  absl::Status SetMemoryLimit(uint64_t bytes) override;
  absl::Status SetPidsLimit(uint64_t pids) override;
  absl::Status SetCpuLimit(uint64_t cpu_millis) override;

  UnifiedRun(std::shared_ptr<const UnifiedTree> tree, std::string name);
  absl::Status MakeDirectories();
  absl::Status OpenFiles();

  std::shared_ptr<const UnifiedTree> tree_;
  std::string run_;
  std::string init_;
  std::string payload_;
  UniqueFd init_directory_;
  UniqueFd cpu_stat_;
  std::vector<UniqueFd> payload_procs_;
};

class UnifiedBackend final : public CgroupBackend {
 public:
  // `own` is the directory of the cgroup this process is in.
  static absl::StatusOr<std::unique_ptr<CgroupBackend>> Open(const std::string& own,
                                                             const std::string& instance);

  ipc::CgroupBackend kind() const override { return ipc::CgroupBackend::kUnified; }
  std::vector<std::string> instance_directories() const override { return {own_ + "/" + instance_}; }
  absl::StatusOr<std::unique_ptr<RunCgroup>> CreateRun(const std::string& name) override;
  std::unique_ptr<RunCgroup> AdoptRun(const std::string& name, CgroupHandles handles) override {
    return UnifiedRun::Adopt(tree_, name, std::move(handles));
  }
  std::vector<int> descriptors() const override { return {tree_->instance.get()}; }
  bool swap_is_bounded() const override;
  absl::Status RemoveInstance() override;

 private:
  UnifiedBackend(std::string own, std::string instance);
  absl::Status EnterLeaf();
  absl::Status LeaveLeaf();
  absl::Status EnableControllers();

  std::string own_;
  std::string instance_;
  std::string leaf_;          // the name of the supervisor's leaf; empty while we are not in one
  std::string enabled_here_;  // the controllers that we switched on in <own>, as subtree_control takes them
  std::shared_ptr<UnifiedTree> tree_;
};

// What every refusal for want of delegation ends with.
inline constexpr char kDelegationMend[] =
    "start caissond as a service with Delegate=yes, or with: systemd-run --scope -p Delegate=yes caissond";

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CGROUP_UNIFIED_H_
