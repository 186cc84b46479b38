#include "orchestrator/cgroup_files.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "absl/status/status.h"
#include "common/status.h"
#include "orchestrator/proc_text.h"

namespace caisson::orchestrator {
namespace {

constexpr size_t kMaxNameBytes = 64;
constexpr uint64_t kPeriodUs = 100'000;
constexpr uint64_t kLongPeriodUs = 1'000'000;
constexpr uint64_t kMinQuotaUs = 1'000;
constexpr uint64_t kMillisPerCpu = 1'000;

std::optional<uint64_t> Number(std::string_view text) { return ParseNumber(text, 10); }

std::string_view WithoutNewline(std::string_view text) {
  if (!text.empty() && text.back() == '\n') {
    text.remove_suffix(1);
  }
  return text;
}

absl::Status Malformed(std::string_view what, std::string_view text) {
  return absl::InvalidArgumentError("parse " + std::string(what) + ": \"" + std::string(text.substr(0, 80)) +
                                    "\"");
}

}  // namespace

bool IsCgroupName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

absl::StatusOr<uint64_t> ParseValue(std::string_view text) {
  const std::string_view line = WithoutNewline(text);
  if (line == "max" || line == "-1") {
    return kUnlimited;
  }
  const std::optional<uint64_t> value = Number(line);
  if (!value) {
    return Malformed("cgroup value", line);
  }
  return *value;
}

std::optional<uint64_t> FlatKeyed(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    if (line.size() > key.size() && line[key.size()] == ' ' && line.substr(0, key.size()) == key) {
      return Number(line.substr(key.size() + 1));
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<pid_t>> ParsePids(std::string_view text) {
  std::vector<pid_t> pids;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const std::optional<uint64_t> pid = Number(line);
    if (!pid || *pid == 0 || *pid > static_cast<uint64_t>(std::numeric_limits<pid_t>::max())) {
      return Malformed("cgroup.procs", line);
    }
    pids.push_back(static_cast<pid_t>(*pid));
  }
  return pids;
}

std::vector<std::string> ParseWords(std::string_view text) {
  std::vector<std::string> words;
  for (text = WithoutNewline(text); !text.empty();) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) {
      words.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

absl::StatusOr<uint64_t> CpuMillisFrom(std::string_view quota_us, std::string_view period_us) {
  ASSIGN_OR_RETURN(const uint64_t quota, ParseValue(quota_us));
  ASSIGN_OR_RETURN(const uint64_t period, ParseValue(period_us));
  if (period == 0 || period == kUnlimited) {
    return Malformed("CPU period", period_us);
  }
  if (quota == kUnlimited) {
    return kUnlimited;
  }
  if (quota > std::numeric_limits<uint64_t>::max() / kMillisPerCpu) {
    return Malformed("CPU quota", quota_us);
  }
  return quota * kMillisPerCpu / period;
}

absl::StatusOr<uint64_t> ParseCpuMax(std::string_view text) {
  const std::vector<std::string> words = ParseWords(text);
  if (words.size() != 2) {
    return Malformed("cpu.max", WithoutNewline(text));
  }
  return CpuMillisFrom(words[0], words[1]);
}

CpuBandwidth BandwidthFor(uint64_t cpu_millis) {
  const uint64_t quota = cpu_millis * (kPeriodUs / kMillisPerCpu);
  if (quota >= kMinQuotaUs) {
    return {quota, kPeriodUs};
  }
  return {cpu_millis * (kLongPeriodUs / kMillisPerCpu), kLongPeriodUs};
}

absl::StatusOr<std::vector<CgroupMembership>> ParseProcCgroup(std::string_view text) {
  std::vector<CgroupMembership> memberships;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos || second + 1 >= line.size() || line[second + 1] != '/') {
      return Malformed("/proc/PID/cgroup", line);
    }
    CgroupMembership membership;
    membership.path = std::string(line.substr(second + 1));
    std::string_view controllers = line.substr(first + 1, second - first - 1);
    membership.unified = line.substr(0, first) == "0" && controllers.empty();
    while (!controllers.empty()) {
      const size_t end = std::min(controllers.find(','), controllers.size());
      membership.controllers.emplace_back(controllers.substr(0, end));
      controllers.remove_prefix(std::min(end + 1, controllers.size()));
    }
    memberships.push_back(std::move(membership));
  }
  return memberships;
}

}  // namespace caisson::orchestrator
