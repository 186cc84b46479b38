#include "orchestrator/cgroup_hybrid.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <utility>

#include "common/files.h"
#include "common/status.h"
#include "orchestrator/cgroup_common.h"
#include "orchestrator/cgroup_files.h"

namespace caisson::orchestrator {
namespace {

// memory.limit_in_bytes may never be above memory.memsw.limit_in_bytes, not even for a moment, so raising and
// lowering need opposite orders. The kernel refuses the wrong one with EINVAL, which spares us from reading
// first.
absl::Status SetMemory(const HybridTree& tree, const std::string& group, uint64_t bytes) {
  const std::string limit = group + "/memory.limit_in_bytes";
  const std::string memsw = group + "/memory.memsw.limit_in_bytes";
  absl::Status lowered = WriteAndCheck(tree.memory.get(), limit, bytes);
  if (!tree.has_memsw) {
    return lowered;
  }
  if (lowered.ok()) {
    return WriteAndCheck(tree.memory.get(), memsw, bytes);
  }
  if (!absl::IsInvalidArgument(lowered)) {
    return lowered;
  }
  RETURN_IF_ERROR(WriteAndCheck(tree.memory.get(), memsw, bytes));
  return WriteAndCheck(tree.memory.get(), limit, bytes);
}

absl::Status SetCpu(const HybridTree& tree, const std::string& group, uint64_t cpu_millis) {
  const CpuBandwidth bandwidth = BandwidthFor(cpu_millis);
  RETURN_IF_ERROR(WriteAndCheck(tree.cpu.get(), group + "/cpu.cfs_period_us", bandwidth.period_us));
  return WriteAndCheck(tree.cpu.get(), group + "/cpu.cfs_quota_us", bandwidth.quota_us);
}

}  // namespace

HybridRun::HybridRun(std::shared_ptr<const HybridTree> tree, std::string name)
    : tree_(std::move(tree)), run_(std::move(name)), payload_(run_ + "/payload") {}

absl::StatusOr<std::unique_ptr<RunCgroup>> HybridRun::Create(std::shared_ptr<const HybridTree> tree,
                                                             const std::string& name) {
  std::unique_ptr<HybridRun> run(new HybridRun(std::move(tree), name));
  // Outside of the cleanup below: directories that exist already belong to another run.
  RETURN_IF_ERROR(MakeCgroup(run->tree_->unified.get(), name));
  absl::Status made = run->MakeDirectories();
  if (made.ok()) {
    made = run->OpenFiles();
  }
  if (made.ok()) {
    made = run->ArmOomEvent();
  }
  if (!made.ok()) {
    static_cast<void>(run->TryRemove());
    return Prefix(made, "cgroup of run " + name);
  }
  return std::unique_ptr<RunCgroup>(std::move(run));
}

std::unique_ptr<RunCgroup> HybridRun::Adopt(std::shared_ptr<const HybridTree> tree, const std::string& name,
                                            CgroupHandles handles) {
  std::unique_ptr<HybridRun> run(new HybridRun(std::move(tree), name));
  run->cpu_stat_ = std::move(handles.cpu_stat);
  run->oom_event_ = std::move(handles.oom_event);
  run->held_ = handles.limits;
  return run;
}

absl::Status HybridRun::MakeDirectories() {
  RETURN_IF_ERROR(MakeCgroup(tree_->unified.get(), payload_));
  RETURN_IF_ERROR(MakeCgroup(tree_->memory.get(), run_));
  RETURN_IF_ERROR(MakeCgroup(tree_->memory.get(), payload_));
  RETURN_IF_ERROR(MakeCgroup(tree_->pids.get(), run_));
  RETURN_IF_ERROR(MakeCgroup(tree_->pids.get(), payload_));
  RETURN_IF_ERROR(MakeCgroup(tree_->cpu.get(), run_));
  return MakeCgroup(tree_->cpu.get(), payload_);
}

absl::Status HybridRun::OpenFiles() {
  ASSIGN_OR_RETURN(run_directory_, OpenCgroup(tree_->unified.get(), run_));
  ASSIGN_OR_RETURN(cpu_stat_, OpenFileAt(tree_->unified.get(), payload_ + "/cpu.stat", O_RDONLY));

  const std::array<std::pair<int, std::string>, 3> init_groups{
      {{tree_->memory.get(), run_}, {tree_->pids.get(), run_}, {tree_->cpu.get(), run_}}};
  for (const auto& [directory, group] : init_groups) {
    ASSIGN_OR_RETURN(UniqueFd procs, OpenFileAt(directory, group + "/cgroup.procs", O_WRONLY));
    init_procs_.push_back(std::move(procs));
  }
  const std::array<std::pair<int, std::string>, 4> payload_groups{{{tree_->memory.get(), payload_},
                                                                   {tree_->pids.get(), payload_},
                                                                   {tree_->cpu.get(), payload_},
                                                                   {tree_->unified.get(), payload_}}};
  for (const auto& [directory, group] : payload_groups) {
    ASSIGN_OR_RETURN(UniqueFd procs, OpenFileAt(directory, group + "/cgroup.procs", O_WRONLY));
    payload_procs_.push_back(std::move(procs));
  }
  return absl::OkStatus();
}

absl::Status HybridRun::ArmOomEvent() {
  oom_event_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!oom_event_.valid()) {
    return ErrnoStatus(errno, "eventfd");
  }
  // The kernel takes its own references when it registers the event; the file may close afterwards.
  ASSIGN_OR_RETURN(const UniqueFd control,
                   OpenFileAt(tree_->memory.get(), payload_ + "/memory.oom_control", O_RDONLY));
  return WriteFileAt(tree_->memory.get(), payload_ + "/cgroup.event_control",
                     std::to_string(oom_event_.get()) + " " + std::to_string(control.get()));
}

absl::Status HybridRun::SetMemoryLimit(uint64_t bytes) {
  RETURN_IF_ERROR(SetMemory(*tree_, run_, RoundDownToPage(bytes + kInitReserveBytes)));
  return SetMemory(*tree_, payload_, RoundDownToPage(bytes));
}

absl::Status HybridRun::SetPidsLimit(uint64_t pids) {
  RETURN_IF_ERROR(WriteAndCheck(tree_->pids.get(), run_ + "/pids.max", pids + kInitReservePids));
  return WriteAndCheck(tree_->pids.get(), payload_ + "/pids.max", pids);
}

// v1 takes no share above the parent's, not even for a moment, so raising and lowering need opposite orders.
absl::Status HybridRun::SetCpuLimit(uint64_t cpu_millis) {
  const bool raises = cpu_millis >= held_.cpu_millis;
  if (raises) {
    RETURN_IF_ERROR(SetCpu(*tree_, run_, cpu_millis + kInitReserveCpuMillis));
  }
  RETURN_IF_ERROR(SetCpu(*tree_, payload_, cpu_millis));
  if (!raises) {
    RETURN_IF_ERROR(SetCpu(*tree_, run_, cpu_millis + kInitReserveCpuMillis));
  }
  return absl::OkStatus();
}

absl::Status HybridRun::BoundSockets() {
  return WriteAndCheck(tree_->memory.get(), payload_ + "/memory.kmem.tcp.limit_in_bytes", kSocketBytes);
}

absl::StatusOr<CgroupLimits> HybridRun::ReadLimits() const {
  CgroupLimits limits;
  ASSIGN_OR_RETURN(limits.memory_bytes, ReadValue(tree_->memory.get(), payload_ + "/memory.limit_in_bytes"));
  ASSIGN_OR_RETURN(limits.pids, ReadValue(tree_->pids.get(), payload_ + "/pids.max"));
  ASSIGN_OR_RETURN(const std::string quota, ReadFileAt(tree_->cpu.get(), payload_ + "/cpu.cfs_quota_us"));
  ASSIGN_OR_RETURN(const std::string period, ReadFileAt(tree_->cpu.get(), payload_ + "/cpu.cfs_period_us"));
  ASSIGN_OR_RETURN(limits.cpu_millis, CpuMillisFrom(quota, period));
  return limits;
}

std::vector<int> HybridRun::init_procs_fds() const { return Borrow(init_procs_); }

std::vector<int> HybridRun::payload_procs_fds() const { return Borrow(payload_procs_); }

void HybridRun::CloseProcsFds() {
  init_procs_.clear();
  payload_procs_.clear();
}

absl::StatusOr<std::vector<pid_t>> HybridRun::PayloadPids() const {
  return ReadPids(tree_->unified.get(), payload_);
}

absl::StatusOr<bool> HybridRun::PayloadIsEmpty() const { return ReadIsEmpty(tree_->unified.get(), payload_); }

absl::StatusOr<std::vector<pid_t>> HybridRun::PayloadThreads() const {
  return ReadThreads(tree_->unified.get(), payload_);
}

absl::Status HybridRun::KillPayload() { return KillGroup(tree_->unified.get(), payload_, tree_->kill); }

absl::Status HybridRun::KillAll() { return KillGroup(tree_->unified.get(), run_, tree_->kill); }

absl::StatusOr<uint64_t> HybridRun::CpuMicros() const { return ReadCpuMicros(tree_->unified.get(), run_); }

absl::StatusOr<CgroupUsage> HybridRun::ReadUsage() const {
  CgroupUsage usage;
  RETURN_IF_ERROR(ReadCpuTimes(cpu_stat_.get(), usage));
  ASSIGN_OR_RETURN(usage.memory_peak_bytes,
                   ReadOptionalValue(tree_->memory.get(), payload_ + "/memory.max_usage_in_bytes"));
  ASSIGN_OR_RETURN(const std::string oom, ReadFileAt(tree_->memory.get(), payload_ + "/memory.oom_control"));
  usage.oom_kills = FlatKeyed(oom, "oom_kill");
  ASSIGN_OR_RETURN(usage.pids_peak, ReadOptionalValue(tree_->pids.get(), payload_ + "/pids.peak"));
  ASSIGN_OR_RETURN(const std::string forks, ReadFileAt(tree_->pids.get(), payload_ + "/pids.events"));
  usage.forks_denied = FlatKeyed(forks, "max");
  return usage;
}

absl::StatusOr<MemoryParts> HybridRun::ReadMemoryParts() const {
  return ReadMemoryStat(tree_->memory.get(), payload_, "rss", "cache");
}

absl::Status HybridRun::TryRemove() {
  for (const UniqueFd* hierarchy : {&tree_->cpu, &tree_->pids, &tree_->memory, &tree_->unified}) {
    RETURN_IF_ERROR(RemoveCgroup(hierarchy->get(), payload_));
    RETURN_IF_ERROR(RemoveCgroup(hierarchy->get(), run_));
  }
  return absl::OkStatus();
}

HybridBackend::HybridBackend(CgroupPlaces places, std::string instance)
    : places_(std::move(places)), instance_(std::move(instance)), tree_(std::make_shared<HybridTree>()) {}

absl::StatusOr<std::unique_ptr<CgroupBackend>> HybridBackend::Open(const CgroupPlaces& places,
                                                                   const std::string& instance) {
  if (places.memory == places.pids || places.memory == places.cpu || places.pids == places.cpu) {
    return absl::FailedPreconditionError(
        "open cgroups: memory, pids and cpu share a v1 mount: mount them separately, or boot with "
        "systemd.unified_cgroup_hierarchy=1");
  }
  std::unique_ptr<HybridBackend> backend(new HybridBackend(places, instance));
  HybridTree& tree = *backend->tree_;
  absl::Status made = absl::OkStatus();
  const std::array<std::pair<UniqueFd*, const std::string*>, 4> wanted{{{&tree.memory, &places.memory},
                                                                        {&tree.pids, &places.pids},
                                                                        {&tree.cpu, &places.cpu},
                                                                        {&tree.unified, &places.unified}}};
  for (const auto& [fd, place] : wanted) {
    absl::StatusOr<UniqueFd> directory = MakeInstanceDirectory(*place, instance);
    if (!directory.ok()) {
      made = directory.status();
      break;
    }
    *fd = std::move(*directory);
  }
  if (made.ok() && !CgroupFileExists(tree.memory.get(), "cgroup.event_control")) {
    made = absl::FailedPreconditionError(
        "open cgroups: no OOM events on v1 (a PREEMPT_RT kernel): boot with "
        "systemd.unified_cgroup_hierarchy=1");
  }
  if (!made.ok()) {
    static_cast<void>(backend->RemoveInstance());
    return made;
  }
  tree.has_memsw = CgroupFileExists(tree.memory.get(), "memory.memsw.limit_in_bytes");
  tree.kill =
      CgroupFileExists(tree.unified.get(), "cgroup.kill") ? KillMethod::kCgroupKill : KillMethod::kFreeze;
  return std::unique_ptr<CgroupBackend>(std::move(backend));
}

std::vector<std::string> HybridBackend::instance_directories() const {
  std::vector<std::string> directories;
  for (const std::string* place : {&places_.unified, &places_.memory, &places_.pids, &places_.cpu}) {
    directories.push_back(*place + "/" + instance_);
  }
  return directories;
}

absl::StatusOr<std::unique_ptr<RunCgroup>> HybridBackend::CreateRun(const std::string& name) {
  if (!IsCgroupName(name)) {
    return absl::InvalidArgumentError("create run cgroup: not a name of ours");
  }
  return HybridRun::Create(tree_, name);
}

std::vector<int> HybridBackend::descriptors() const {
  return {tree_->memory.get(), tree_->pids.get(), tree_->cpu.get(), tree_->unified.get()};
}

bool HybridBackend::swap_is_bounded() const { return tree_->has_memsw || !HostHasSwap(); }

absl::Status HybridBackend::RemoveInstance() {
  absl::Status result = absl::OkStatus();
  for (const std::string& directory : instance_directories()) {
    absl::Status removed = RemoveCgroup(AT_FDCWD, directory);
    if (!removed.ok()) {
      result = std::move(removed);
    }
  }
  return result;
}

}  // namespace caisson::orchestrator
