#include "orchestrator/cgroup_common.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/files.h"
#include "common/status.h"
#include "orchestrator/cgroup_files.h"
#include "orchestrator/cgroup_io.h"
#include "sandbox/layers_outside.h"

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kMaxMemoryBytes = 1ULL << 60U;
constexpr uint64_t kMaxPids = 1ULL << 22U;          // PID_MAX_LIMIT
constexpr uint64_t kMaxCpuMillis = 1000ULL * 8192;  // the kernel's own ceiling of CPUs

absl::Status CheckRange(const char* name, uint64_t value, uint64_t most) {
  if (value == 0 || value > most) {
    return absl::InvalidArgumentError("set limit " + std::string(name) + ": " + std::to_string(value) +
                                      " is not in 1.." + std::to_string(most));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckLimitValues(const CgroupLimits& limits) {
  RETURN_IF_ERROR(CheckRange("memory_bytes", limits.memory_bytes, kMaxMemoryBytes));
  RETURN_IF_ERROR(CheckRange("pids", limits.pids, kMaxPids - kInitReservePids));
  return CheckRange("cpu_millis", limits.cpu_millis, kMaxCpuMillis);
}

absl::Status RunCgroup::SetLimits(const CgroupLimits& limits) {
  RETURN_IF_ERROR(CheckLimitValues(limits));
  const auto set = [this](uint64_t wanted, uint64_t& held,
                          absl::Status (RunCgroup::*write)(uint64_t)) -> absl::Status {
    if (wanted == held) {
      return absl::OkStatus();
    }
    absl::Status written = (this->*write)(wanted);
    held = written.ok() ? wanted : 0;  // Half of it may be written.
    return written;
  };
  if (sandbox::LayersBuiltIn().memory_limit) {
    RETURN_IF_ERROR(set(limits.memory_bytes, held_.memory_bytes, &RunCgroup::SetMemoryLimit));
  }
  if (sandbox::LayersBuiltIn().pids_limit) {
    RETURN_IF_ERROR(set(limits.pids, held_.pids, &RunCgroup::SetPidsLimit));
  }
  return set(limits.cpu_millis, held_.cpu_millis, &RunCgroup::SetCpuLimit);
}

absl::Status CheckLimitsHeld(const CgroupLimits& held, const CgroupLimits& set) {
  const auto check = [](const char* name, uint64_t is, uint64_t should_be) {
    return is == should_be ? absl::OkStatus()
                           : absl::FailedPreconditionError("set limit " + std::string(name) + " to " +
                                                           std::to_string(should_be) + ": the kernel holds " +
                                                           std::to_string(is));
  };
  RETURN_IF_ERROR(check("memory_bytes", held.memory_bytes, RoundDownToPage(set.memory_bytes)));
  RETURN_IF_ERROR(check("pids", held.pids, set.pids));
  return check("cpu_millis", held.cpu_millis, set.cpu_millis);
}

uint64_t RoundDownToPage(uint64_t bytes) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes - bytes % page;
}

absl::StatusOr<UniqueFd> MakeInstanceDirectory(const std::string& place, const std::string& instance) {
  ASSIGN_OR_RETURN(const UniqueFd own, OpenFile(place, O_RDONLY | O_DIRECTORY));
  const absl::Status made = MakeCgroup(own.get(), instance);
  if (!made.ok() && !absl::IsAlreadyExists(made)) {
    return Prefix(made, place);
  }
  ASSIGN_OR_RETURN(UniqueFd directory, OpenCgroup(own.get(), instance));
  if (!made.ok()) {
    ASSIGN_OR_RETURN(const auto children, ChildGroups(directory.get()));
    ASSIGN_OR_RETURN(const auto pids, ReadPids(directory.get(), ""));
    if (!children.empty() || !pids.empty()) {
      return absl::FailedPreconditionError("open cgroups: " + place + "/" + instance +
                                           " is in use: another caissond has it, or it must be swept first");
    }
  }
  return directory;
}

absl::StatusOr<uint64_t> ReadCpuMicros(int directory, const std::string& group) {
  ASSIGN_OR_RETURN(const std::string text, ReadFileAt(directory, group + "/cpu.stat"));
  const std::optional<uint64_t> micros = FlatKeyed(text, "usage_usec");
  if (!micros) {
    return absl::FailedPreconditionError("read cpu.stat: no usage_usec");
  }
  return *micros;
}

absl::StatusOr<bool> ReadIsEmpty(int directory, const std::string& group) {
  ASSIGN_OR_RETURN(const std::string text, ReadFileAt(directory, group + "/cgroup.events"));
  const std::optional<uint64_t> populated = FlatKeyed(text, "populated");
  if (!populated) {
    return absl::FailedPreconditionError("read cgroup.events: no populated");
  }
  return *populated == 0;
}

absl::Status ReadCpuTimes(int cpu_stat, CgroupUsage& usage) {
  ASSIGN_OR_RETURN(const std::string text, ReadAgain(cpu_stat, "cpu.stat"));
  usage.cpu_user_us = FlatKeyed(text, "user_usec");
  usage.cpu_system_us = FlatKeyed(text, "system_usec");
  return absl::OkStatus();
}

absl::StatusOr<MemoryParts> ReadMemoryStat(int directory, const std::string& group,
                                           std::string_view anonymous, std::string_view file) {
  ASSIGN_OR_RETURN(const std::string text, ReadFileAt(directory, group + "/memory.stat"));
  const std::optional<uint64_t> anonymous_bytes = FlatKeyed(text, anonymous);
  const std::optional<uint64_t> file_bytes = FlatKeyed(text, file);
  if (!anonymous_bytes || !file_bytes) {
    return absl::FailedPreconditionError("read memory.stat: it lacks a key");
  }
  return MemoryParts{*anonymous_bytes, *file_bytes};
}

// cgroup.memory= takes a list, and may come more than once.
bool CountsSockets(std::string_view boot_parameters) {
  constexpr std::string_view kOption = "cgroup.memory=";
  while (!boot_parameters.empty()) {
    const size_t end = std::min(boot_parameters.find_first_of(" \n"), boot_parameters.size());
    const std::string_view word = boot_parameters.substr(0, end);
    if (word.starts_with(kOption) && word.find("nosocket") != std::string_view::npos) {
      return false;
    }
    boot_parameters.remove_prefix(std::min(end + 1, boot_parameters.size()));
  }
  return true;
}

bool HostHasSwap() {
  const absl::StatusOr<std::string> swaps = ReadFile("/proc/swaps");
  // The first line is the heading.
  return !swaps.ok() || std::count(swaps->begin(), swaps->end(), '\n') > 1;
}

std::vector<int> Borrow(const std::vector<UniqueFd>& fds) {
  std::vector<int> borrowed;
  borrowed.reserve(fds.size());
  for (const UniqueFd& fd : fds) {
    borrowed.push_back(fd.get());
  }
  return borrowed;
}

}  // namespace caisson::orchestrator
