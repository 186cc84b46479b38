#include "orchestrator/cgroup_unified.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/files.h"
#include "common/status.h"
#include "orchestrator/cgroup_common.h"
#include "orchestrator/cgroup_files.h"

namespace caisson::orchestrator {
namespace {

constexpr std::array<const char*, 3> kControllers{"memory", "pids", "cpu"};
constexpr char kEnableAll[] = "+memory +pids +cpu";
constexpr char kSubtreeControl[] = "/cgroup.subtree_control";

absl::Status SetCpu(const UnifiedTree& tree, const std::string& group, uint64_t cpu_millis) {
  const CpuBandwidth bandwidth = BandwidthFor(cpu_millis);
  ASSIGN_OR_RETURN(const std::string held, WriteAndReadBack(tree.instance.get(), group + "/cpu.max",
                                                            std::to_string(bandwidth.quota_us) + " " +
                                                                std::to_string(bandwidth.period_us)));
  ASSIGN_OR_RETURN(const uint64_t held_millis, ParseCpuMax(held));
  if (held_millis != cpu_millis) {
    return absl::FailedPreconditionError("write " + group + "/cpu.max: the kernel holds " + held);
  }
  return absl::OkStatus();
}

}  // namespace

UnifiedRun::UnifiedRun(std::shared_ptr<const UnifiedTree> tree, std::string name)
    : tree_(std::move(tree)), run_(std::move(name)), init_(run_ + "/init"), payload_(run_ + "/payload") {}

absl::StatusOr<std::unique_ptr<RunCgroup>> UnifiedRun::Create(std::shared_ptr<const UnifiedTree> tree,
                                                              const std::string& name) {
  std::unique_ptr<UnifiedRun> run(new UnifiedRun(std::move(tree), name));
  // Outside of the cleanup below: a directory that exists already belongs to another run.
  RETURN_IF_ERROR(MakeCgroup(run->tree_->instance.get(), name));
  absl::Status made = run->MakeDirectories();
  if (made.ok()) {
    made = run->OpenFiles();
  }
  if (!made.ok()) {
    static_cast<void>(run->TryRemove());
    return Prefix(made, "cgroup of run " + name);
  }
  return std::unique_ptr<RunCgroup>(std::move(run));
}

std::unique_ptr<RunCgroup> UnifiedRun::Adopt(std::shared_ptr<const UnifiedTree> tree, const std::string& name,
                                             CgroupHandles handles) {
  std::unique_ptr<UnifiedRun> run(new UnifiedRun(std::move(tree), name));
  run->cpu_stat_ = std::move(handles.cpu_stat);
  run->held_ = handles.limits;
  return run;
}

absl::Status UnifiedRun::MakeDirectories() {
  const int instance = tree_->instance.get();
  RETURN_IF_ERROR(WriteFileAt(instance, run_ + kSubtreeControl, kEnableAll));
  RETURN_IF_ERROR(MakeCgroup(instance, init_));
  RETURN_IF_ERROR(MakeCgroup(instance, payload_));
  RETURN_IF_ERROR(WriteAndCheck(instance, payload_ + "/memory.oom.group", 1));
  if (tree_->has_swap_max) {
    RETURN_IF_ERROR(WriteAndCheck(instance, run_ + "/memory.swap.max", 0));
    RETURN_IF_ERROR(WriteAndCheck(instance, payload_ + "/memory.swap.max", 0));
  }
  return absl::OkStatus();
}

absl::Status UnifiedRun::OpenFiles() {
  const int instance = tree_->instance.get();
  ASSIGN_OR_RETURN(init_directory_, OpenCgroup(instance, init_));
  ASSIGN_OR_RETURN(cpu_stat_, OpenFileAt(instance, payload_ + "/cpu.stat", O_RDONLY));
  ASSIGN_OR_RETURN(UniqueFd procs, OpenFileAt(instance, payload_ + "/cgroup.procs", O_WRONLY));
  payload_procs_.push_back(std::move(procs));
  return absl::OkStatus();
}

absl::Status UnifiedRun::SetMemoryLimit(uint64_t bytes) {
  const int instance = tree_->instance.get();
  RETURN_IF_ERROR(WriteAndCheck(instance, run_ + "/memory.max", RoundDownToPage(bytes + kInitReserveBytes)));
  return WriteAndCheck(instance, payload_ + "/memory.max", RoundDownToPage(bytes));
}

absl::Status UnifiedRun::SetPidsLimit(uint64_t pids) {
  RETURN_IF_ERROR(WriteAndCheck(tree_->instance.get(), run_ + "/pids.max", pids + kInitReservePids));
  return WriteAndCheck(tree_->instance.get(), payload_ + "/pids.max", pids);
}

absl::Status UnifiedRun::SetCpuLimit(uint64_t cpu_millis) {
  RETURN_IF_ERROR(SetCpu(*tree_, run_, cpu_millis + kInitReserveCpuMillis));
  return SetCpu(*tree_, payload_, cpu_millis);
}

absl::Status UnifiedRun::BoundSockets() {
  // Nothing in a cgroup's files tells whether the kernel counts them, which it does unless it was booted so.
  ASSIGN_OR_RETURN(const std::string boot, ReadFile("/proc/cmdline"));
  return CountsSockets(boot)
             ? absl::OkStatus()
             : absl::FailedPreconditionError(
                   "this host counts no memory of sockets: boot it without cgroup.memory=nosocket");
}

absl::StatusOr<CgroupLimits> UnifiedRun::ReadLimits() const {
  const int instance = tree_->instance.get();
  CgroupLimits limits;
  ASSIGN_OR_RETURN(limits.memory_bytes, ReadValue(instance, payload_ + "/memory.max"));
  ASSIGN_OR_RETURN(limits.pids, ReadValue(instance, payload_ + "/pids.max"));
  ASSIGN_OR_RETURN(const std::string cpu_max, ReadFileAt(instance, payload_ + "/cpu.max"));
  ASSIGN_OR_RETURN(limits.cpu_millis, ParseCpuMax(cpu_max));
  return limits;
}

std::vector<int> UnifiedRun::payload_procs_fds() const { return Borrow(payload_procs_); }

absl::StatusOr<std::vector<pid_t>> UnifiedRun::PayloadPids() const {
  return ReadPids(tree_->instance.get(), payload_);
}

absl::StatusOr<bool> UnifiedRun::PayloadIsEmpty() const {
  return ReadIsEmpty(tree_->instance.get(), payload_);
}

absl::StatusOr<std::vector<pid_t>> UnifiedRun::PayloadThreads() const {
  return ReadThreads(tree_->instance.get(), payload_);
}

absl::Status UnifiedRun::KillPayload() { return KillGroup(tree_->instance.get(), payload_, tree_->kill); }

absl::Status UnifiedRun::KillAll() { return KillGroup(tree_->instance.get(), run_, tree_->kill); }

absl::StatusOr<uint64_t> UnifiedRun::CpuMicros() const { return ReadCpuMicros(tree_->instance.get(), run_); }

absl::StatusOr<CgroupUsage> UnifiedRun::ReadUsage() const {
  const int instance = tree_->instance.get();
  CgroupUsage usage;
  RETURN_IF_ERROR(ReadCpuTimes(cpu_stat_.get(), usage));
  ASSIGN_OR_RETURN(usage.memory_peak_bytes, ReadOptionalValue(instance, payload_ + "/memory.peak"));
  ASSIGN_OR_RETURN(const std::string memory, ReadFileAt(instance, payload_ + "/memory.events"));
  usage.oom_kills = FlatKeyed(memory, "oom_kill");
  ASSIGN_OR_RETURN(usage.pids_peak, ReadOptionalValue(instance, payload_ + "/pids.peak"));
  ASSIGN_OR_RETURN(const std::string forks, ReadFileAt(instance, payload_ + "/pids.events"));
  usage.forks_denied = FlatKeyed(forks, "max");
  return usage;
}

absl::StatusOr<MemoryParts> UnifiedRun::ReadMemoryParts() const {
  return ReadMemoryStat(tree_->instance.get(), payload_, "anon", "file");
}

absl::Status UnifiedRun::TryRemove() {
  RETURN_IF_ERROR(RemoveCgroup(tree_->instance.get(), payload_));
  RETURN_IF_ERROR(RemoveCgroup(tree_->instance.get(), init_));
  return RemoveCgroup(tree_->instance.get(), run_);
}

UnifiedBackend::UnifiedBackend(std::string own, std::string instance)
    : own_(std::move(own)), instance_(std::move(instance)), tree_(std::make_shared<UnifiedTree>()) {}

absl::StatusOr<std::unique_ptr<CgroupBackend>> UnifiedBackend::Open(const std::string& own,
                                                                    const std::string& instance) {
  const std::string leaf = "/" + instance + "-supervisor";
  const bool in_leaf =
      own.size() > leaf.size() && own.compare(own.size() - leaf.size(), leaf.size(), leaf) == 0;
  const std::string place = in_leaf ? own.substr(0, own.size() - leaf.size()) : own;
  std::unique_ptr<UnifiedBackend> backend(new UnifiedBackend(place, instance));
  if (in_leaf) {
    backend->leaf_ = leaf.substr(1);
  } else if (access((own + "/cgroup.type").c_str(), F_OK) == 0) {
    // Only the root cgroup lacks cgroup.type, and only it may hold processes beside children with
    // controllers.
    RETURN_IF_ERROR(backend->EnterLeaf());
  }
  absl::Status made = backend->EnableControllers();
  if (made.ok()) {
    absl::StatusOr<UniqueFd> directory = MakeInstanceDirectory(place, instance);
    made = directory.status();
    if (directory.ok()) {
      backend->tree_->instance = std::move(*directory);
      made = WriteFileAt(backend->tree_->instance.get(), "cgroup.subtree_control", kEnableAll);
    }
  }
  if (!made.ok()) {
    static_cast<void>(backend->RemoveInstance());
    return made;
  }
  UnifiedTree& tree = *backend->tree_;
  tree.has_swap_max = CgroupFileExists(tree.instance.get(), "memory.swap.max");
  tree.kill =
      CgroupFileExists(tree.instance.get(), "cgroup.kill") ? KillMethod::kCgroupKill : KillMethod::kFreeze;
  return std::unique_ptr<CgroupBackend>(std::move(backend));
}

absl::Status UnifiedBackend::EnterLeaf() {
  const std::string name = instance_ + "-supervisor";
  ASSIGN_OR_RETURN(const UniqueFd own, OpenFile(own_, O_RDONLY | O_DIRECTORY));
  const absl::Status made = MakeCgroup(own.get(), name);
  if (!made.ok() && !absl::IsAlreadyExists(made)) {
    return absl::FailedPreconditionError(Message(made) + " below " + own_ + ": " + kDelegationMend);
  }
  RETURN_IF_ERROR(WriteFileAt(own.get(), name + "/cgroup.procs", std::to_string(getpid())));
  leaf_ = name;
  return absl::OkStatus();
}

absl::Status UnifiedBackend::LeaveLeaf() {
  if (leaf_.empty()) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(WriteFile(own_ + "/cgroup.procs", std::to_string(getpid())));
  RETURN_IF_ERROR(RemoveCgroup(AT_FDCWD, own_ + "/" + leaf_));
  leaf_.clear();
  return absl::OkStatus();
}

absl::Status UnifiedBackend::EnableControllers() {
  ASSIGN_OR_RETURN(const std::string available_text, ReadFile(own_ + "/cgroup.controllers"));
  ASSIGN_OR_RETURN(const std::string enabled_text, ReadFile(own_ + kSubtreeControl));
  const std::vector<std::string> available = ParseWords(available_text);
  const std::vector<std::string> enabled = ParseWords(enabled_text);
  std::string wanted;
  for (const char* controller : kControllers) {
    if (std::find(available.begin(), available.end(), controller) == available.end()) {
      return absl::FailedPreconditionError("open cgroups: controller " + std::string(controller) +
                                           " is not delegated to " + own_ + ": " + kDelegationMend);
    }
    if (std::find(enabled.begin(), enabled.end(), controller) == enabled.end()) {
      wanted += (wanted.empty() ? "+" : " +") + std::string(controller);
    }
  }
  if (wanted.empty()) {
    return absl::OkStatus();
  }
  const absl::Status written = WriteFile(own_ + kSubtreeControl, wanted);
  if (!written.ok()) {
    return absl::FailedPreconditionError("enable " + wanted + " in " + own_ + " (" + Message(written) +
                                         "): other processes live there: " + kDelegationMend);
  }
  enabled_here_ = wanted;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RunCgroup>> UnifiedBackend::CreateRun(const std::string& name) {
  if (!IsCgroupName(name)) {
    return absl::InvalidArgumentError("create run cgroup: not a name of ours");
  }
  return UnifiedRun::Create(tree_, name);
}

bool UnifiedBackend::swap_is_bounded() const { return tree_->has_swap_max || !HostHasSwap(); }

absl::Status UnifiedBackend::RemoveInstance() {
  RETURN_IF_ERROR(RemoveCgroup(AT_FDCWD, own_ + "/" + instance_));
  if (!enabled_here_.empty()) {
    std::string disable = enabled_here_;
    std::replace(disable.begin(), disable.end(), '+', '-');
    absl::Status disabled = WriteFile(own_ + kSubtreeControl, disable);
    // The root cgroup is everybody's: a neighbour may use the controllers by now, and then they stay on.
    if (!disabled.ok() && !leaf_.empty()) {
      return disabled;
    }
    enabled_here_.clear();
  }
  return LeaveLeaf();
}

}  // namespace caisson::orchestrator
