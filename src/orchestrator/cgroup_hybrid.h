// The hybrid backend: memory, pids and cpu on v1, and beside them a v2 tree without controllers, which gives
// CLONE_INTO_CGROUP, cgroup.kill and cpu.stat. Run by caissond as root.
//
// Directories of a run, the fewest that hold payload to its limits and init out of them:
//   memory  <run>, <run>/payload   limit + reserve on <run>, limit on payload
//   v2      <run>, <run>/payload   no limits
//   pids    <run>, <run>/payload   limit + reserve on <run>, limit on payload
//   cpu     <run>, <run>/payload   quota + reserve on <run>, quota on payload
// init lives in <run> itself, which v1 permits, and v2 where it has no controllers: so it does not wait
// behind a throttled payload, and its cgroup namespace hides the path above.
#ifndef CAISSON_ORCHESTRATOR_CGROUP_HYBRID_H_
#define CAISSON_ORCHESTRATOR_CGROUP_HYBRID_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/cgroup_io.h"
#include "orchestrator/cgroup_places.h"

namespace caisson::orchestrator {

// The instance's directory in each hierarchy, shared by the backend and its runs.
struct HybridTree {
  UniqueFd memory;
  UniqueFd pids;
  UniqueFd cpu;
  UniqueFd unified;
  bool has_memsw = false;
  KillMethod kill = KillMethod::kCgroupKill;
};

class HybridRun final : public RunCgroup {
 public:
  static absl::StatusOr<std::unique_ptr<RunCgroup>> Create(std::shared_ptr<const HybridTree> tree,
                                                           const std::string& name);

  absl::Status BoundSockets() override;
  static std::unique_ptr<RunCgroup> Adopt(std::shared_ptr<const HybridTree> tree, const std::string& name,
                                          CgroupHandles handles);
  CgroupHandles Release() override { return {std::move(cpu_stat_), std::move(oom_event_), held_}; }
  absl::StatusOr<CgroupLimits> ReadLimits() const override;
  int clone_into_fd() const override { return run_directory_.get(); }
  std::vector<int> init_procs_fds() const override;
  std::vector<int> payload_procs_fds() const override;
  void CloseProcsFds() override;
  absl::StatusOr<std::vector<pid_t>> PayloadPids() const override;
  absl::StatusOr<bool> PayloadIsEmpty() const override;
  absl::StatusOr<std::vector<pid_t>> PayloadThreads() const override;
  absl::Status KillPayload() override;
  absl::Status KillAll() override;
  // TryRemove makes it readable too (the kernel says that the event goes away): stop watching it before.
  int oom_event_fd() const override { return oom_event_.get(); }
  absl::StatusOr<uint64_t> CpuMicros() const override;
  absl::StatusOr<CgroupUsage> ReadUsage() const override;
  absl::StatusOr<MemoryParts> ReadMemoryParts() const override;
  absl::Status TryRemove() override;

 private:
  absl::Status SetMemoryLimit(uint64_t bytes) override;
  absl::Status SetPidsLimit(uint64_t pids) override;
  absl::Status SetCpuLimit(uint64_t cpu_millis) override;

  HybridRun(std::shared_ptr<const HybridTree> tree, std::string name);
  absl::Status MakeDirectories();
  absl::Status OpenFiles();
  absl::Status ArmOomEvent();

  std::shared_ptr<const HybridTree> tree_;
  std::string run_;
  std::string payload_;
  UniqueFd run_directory_;
  UniqueFd cpu_stat_;
  UniqueFd oom_event_;
  std::vector<UniqueFd> init_procs_;
  std::vector<UniqueFd> payload_procs_;
};

class HybridBackend final : public CgroupBackend {
 public:
  static absl::StatusOr<std::unique_ptr<CgroupBackend>> Open(const CgroupPlaces& places,
                                                             const std::string& instance);

  ipc::CgroupBackend kind() const override { return ipc::CgroupBackend::kHybrid; }
  std::vector<std::string> instance_directories() const override;
  absl::StatusOr<std::unique_ptr<RunCgroup>> CreateRun(const std::string& name) override;
  std::unique_ptr<RunCgroup> AdoptRun(const std::string& name, CgroupHandles handles) override {
    return HybridRun::Adopt(tree_, name, std::move(handles));
  }
  std::vector<int> descriptors() const override;
  bool swap_is_bounded() const override;
  absl::Status RemoveInstance() override;

 private:
  HybridBackend(CgroupPlaces places, std::string instance);

  CgroupPlaces places_;
  std::string instance_;
  std::shared_ptr<HybridTree> tree_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CGROUP_HYBRID_H_
