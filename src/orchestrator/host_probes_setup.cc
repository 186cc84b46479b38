// What an operator sets up: cgroups and swap, the dispatcher's user, the id range, the state directory.
#include <fcntl.h>
#include <linux/sched.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <optional>

#include "common/clock.h"
#include "common/files.h"
#include "common/pidfd.h"
#include "common/status.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/host_probes.h"
#include "orchestrator/proc_text.h"

namespace caisson::orchestrator {
namespace {

constexpr CgroupLimits kProbeLimits{uint64_t{16} << 20U, 8, 500};
constexpr int64_t kRemovePatienceNanos = 5'000 * kNanosPerMilli;

// A child born in the run's cgroup that waits; killed through the cgroup.
absl::Status CloneAndKill(RunCgroup& run) {
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<__u64>(run.clone_into_fd());
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid < 0) {
    return ErrnoStatus(errno, "clone into a cgroup");
  }
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
      pause();
    }
  }
  ASSIGN_OR_RETURN(PidFd child, PidFd::Open(pid));
  absl::Status killed = run.KillAll();
  if (!killed.ok()) {
    kill(pid, SIGKILL);  // Ours until it is reaped.
  }
  RETURN_IF_ERROR(child.Reap().status());
  return killed;
}

absl::Status HoldLimits(RunCgroup& run) {
  RETURN_IF_ERROR(run.SetLimits(kProbeLimits));
  ASSIGN_OR_RETURN(const CgroupLimits held, run.ReadLimits());
  if (held != kProbeLimits) {
    return absl::FailedPreconditionError("the kernel holds other limits than were written");
  }
  return run.ReadUsage().status();
}

absl::Status RemoveRun(RunCgroup& run) {
  for (const int64_t deadline = MonotonicNanos() + kRemovePatienceNanos;;) {
    absl::Status removed = run.TryRemove();
    if (!absl::IsUnavailable(removed) || MonotonicNanos() > deadline) {
      return removed;
    }
    const timespec pause{0, 500'000};
    nanosleep(&pause, nullptr);
  }
}

CheckResult CheckSwap(const CgroupBackend& backend, const Config& config) {
  if (backend.swap_is_bounded()) {
    return {"swap", CheckState::kOk, "swap is off or limited together with memory", ""};
  }
  const std::string mend =
      "turn swap off (swapoff -a), boot with swapaccount=1, or accept it in the configuration by name";
  if (config.accepted_degradations.count(Degradation::kSwapUnbounded) != 0) {
    return {"swap", CheckState::kWarn, "swap is not limited; the configuration accepts that", mend};
  }
  return {"swap", CheckState::kFail, "swap is on and cannot be limited: memory limits would not hold", mend};
}

CheckResult CheckUser(const std::string& name) {
  const std::string mend = "create it: useradd --system --no-create-home --shell /usr/sbin/nologin " + name;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  const int error = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    return {"user", CheckState::kFail,
            error == 0 ? "there is no user " + name : Message(ErrnoStatus(error, "look up user " + name)),
            mend};
  }
  if (entry.pw_uid == 0 || entry.pw_gid == 0) {
    return {"user", CheckState::kFail, "user " + name + " is root or in root's group", mend};
  }
  return {"user", CheckState::kOk, name + " has uid " + std::to_string(entry.pw_uid), ""};
}

// Missing subid files are fine: then nobody was given any.
std::string ReadOrEmpty(const std::string& path) {
  constexpr size_t kMaxBytes = 16 << 20;
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxBytes);
  return text.ok() ? *text : std::string();
}

CheckResult CheckIdRange(const Config& config) {
  const std::string mend = "choose another id_range in the configuration";
  const std::string range = std::to_string(config.id_first) + "+" + std::to_string(config.id_count);
  if (config.id_first == 0 || config.id_count < 2 || config.id_count > UINT32_MAX - config.id_first) {
    return {"id_range", CheckState::kFail, range + " is no range of ids for runs", mend};
  }
  std::string overlap =
      FindIdOverlap(ReadOrEmpty("/etc/passwd"), ReadOrEmpty("/etc/subuid"), config.id_first, config.id_count);
  if (overlap.empty()) {
    overlap = FindIdOverlap(ReadOrEmpty("/etc/group"), ReadOrEmpty("/etc/subgid"), config.id_first,
                            config.id_count);
  }
  if (!overlap.empty()) {
    return {"id_range", CheckState::kFail, range + ": " + overlap, mend};
  }
  return {"id_range", CheckState::kOk, range + " is in no account's range", ""};
}

// Every directory above must be root's and not writable by others, or its names are not ours to trust.
absl::Status CheckTrusted(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "stat " + path);
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::FailedPreconditionError(path + " is not a directory");
  }
  const bool sticky = (info.st_mode & S_ISVTX) != 0;
  if (info.st_uid != 0 || ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky)) {
    return absl::FailedPreconditionError(path + " is not root's, or others can write it");
  }
  return absl::OkStatus();
}

absl::Status UseStateDirectory(const std::string& path) {
  if (path.empty() || path.front() != '/' || path == "/") {
    return absl::FailedPreconditionError("state_dir is not an absolute path");
  }
  const std::string parent = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
  RETURN_IF_ERROR(CheckTrusted(parent));
  const bool made = mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) {
    return ErrnoStatus(errno, "make " + path);
  }
  absl::Status usable = CheckTrusted(path);
  if (usable.ok()) {
    // An unnamed file leaves nothing behind, however this ends.
    usable = OpenFile(path, O_TMPFILE | O_RDWR, 0600).status();
  }
  if (made && rmdir(path.c_str()) != 0) {
    return ErrnoStatus(errno, "remove " + path);
  }
  return usable;
}

std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t start = 0; start <= line.size();) {
    const size_t end = std::min(line.find(':', start), line.size());
    fields.push_back(line.substr(start, end - start));
    start = end + 1;
  }
  return fields;
}

// Only profiles with a network need it.
CheckResult CheckSocketMemory(RunCgroup& run) {
  CheckResult result =
      FromStatus("cgroup_sockets", run.BoundSockets(), "memory of sockets is counted and bounded",
                 "profiles with the network loopback are refused until the host counts memory of sockets: on "
                 "cgroup v2 boot it without cgroup.memory=nosocket, on v1 with the files memory.kmem.tcp.*");
  result.state = result.state == CheckState::kFail ? CheckState::kWarn : result.state;
  return result;
}

}  // namespace

std::string FindIdOverlap(std::string_view passwd_or_group, std::string_view subids, uint32_t first,
                          uint32_t count) {
  const uint64_t end = uint64_t{first} + count;
  while (!passwd_or_group.empty()) {
    const auto fields = Fields(TakeLine(passwd_or_group));
    const auto id = fields.size() > 2 ? ParseNumber(fields[2], 10) : std::nullopt;
    if (id && *id >= first && *id < end) {
      return std::string(fields[0]) + " has id " + std::to_string(*id);
    }
  }
  while (!subids.empty()) {
    const auto fields = Fields(TakeLine(subids));
    const auto start = fields.size() > 2 ? ParseNumber(fields[1], 10) : std::nullopt;
    const auto length = fields.size() > 2 ? ParseNumber(fields[2], 10) : std::nullopt;
    if (start && length && *length > 0 && *start < end && (*start >= first || first - *start < *length)) {
      return std::string(fields[0]) + " was given ids " + std::to_string(*start) + "+" +
             std::to_string(*length);
    }
  }
  return {};
}

std::vector<CheckResult> ProbeCgroups(const Config& config) {
  const std::string mend =
      "boot with systemd.unified_cgroup_hierarchy=1, and start caissond as a service with Delegate=yes";
  absl::StatusOr<std::unique_ptr<CgroupBackend>> backend =
      CgroupBackend::Open("caisson-check-" + std::to_string(getpid()));
  if (!backend.ok()) {
    return {FromStatus("cgroup", backend.status(), "", mend)};
  }
  const bool unified = (*backend)->kind() == ipc::CgroupBackend::kUnified;
  std::vector<CheckResult> results{
      {"cgroup", CheckState::kOk, unified ? "pure v2" : "v1 controllers with a v2 tree beside them", ""}};
  absl::StatusOr<std::unique_ptr<RunCgroup>> run = (*backend)->CreateRun("check");
  absl::Status removed = run.status();
  results.push_back(FromStatus("cgroup_limits", run.ok() ? HoldLimits(**run) : run.status(),
                               "memory, pids and cpu limits were written and read back", mend));
  if (run.ok()) {
    results.push_back(CheckSocketMemory(**run));
    results.push_back(FromStatus("cgroup_kill", CloneAndKill(**run),
                                 "a process born in a cgroup was killed with it",
                                 "needs Linux 5.7 or newer, and nothing else that manages these cgroups"));
    removed = RemoveRun(**run);
  }
  const absl::Status instance_removed = (*backend)->RemoveInstance();
  results.push_back(FromStatus("cgroup_remove", removed.ok() ? instance_removed : removed,
                               "they were removed again",
                               "nothing but caissond may make cgroups below its own"));
  results.push_back(CheckSwap(**backend, config));
  return results;
}

std::vector<CheckResult> ProbeSetup(const Config& config) {
  return {
      CheckUser(config.user), CheckIdRange(config),
      FromStatus("state_dir", UseStateDirectory(config.state_dir), config.state_dir + " is usable",
                 "let state_dir be a directory of root's that only root can write, with a parent likewise")};
}

}  // namespace caisson::orchestrator
