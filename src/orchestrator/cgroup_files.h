// Parsers of the kernel's cgroup text formats. Pure: no file is opened here. All of it is written by the
// kernel.
#ifndef CAISSON_ORCHESTRATOR_CGROUP_FILES_H_
#define CAISSON_ORCHESTRATOR_CGROUP_FILES_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace caisson::orchestrator {

// What "max" and v1's "-1" are read as.
inline constexpr uint64_t kUnlimited = UINT64_MAX;

// Names that Caisson gives to cgroups: [a-z0-9-]+, at most 64 bytes. Nothing else is ever made, killed or
// removed.
bool IsCgroupName(std::string_view name);

// A whole file holding one number, "max" or "-1". kInvalidArgument otherwise.
absl::StatusOr<uint64_t> ParseValue(std::string_view text);

// The value of `key` in a flat-keyed file ("key value" lines); absent if there is no such line or it is
// malformed.
std::optional<uint64_t> FlatKeyed(std::string_view text, std::string_view key);

// cgroup.procs: one pid a line. A pid of 0 (a process the reader's pid namespace cannot see) is
// kInvalidArgument.
absl::StatusOr<std::vector<pid_t>> ParsePids(std::string_view text);

// Words separated by spaces, as in cgroup.controllers.
std::vector<std::string> ParseWords(std::string_view text);

// CPU bandwidth as thousandths of a CPU; kUnlimited for "max" or -1.
absl::StatusOr<uint64_t> CpuMillisFrom(std::string_view quota_us, std::string_view period_us);
// The same from v2's "QUOTA PERIOD".
absl::StatusOr<uint64_t> ParseCpuMax(std::string_view text);

// The quota and period that give `cpu_millis`. The kernel takes no quota below 1 ms, so small shares get a
// long period.
struct CpuBandwidth {
  uint64_t quota_us;
  uint64_t period_us;
};
CpuBandwidth BandwidthFor(uint64_t cpu_millis);

// One line of /proc/PID/cgroup.
struct CgroupMembership {
  std::vector<std::string> controllers;  // empty for v2
  std::string path;
  bool unified = false;
};
absl::StatusOr<std::vector<CgroupMembership>> ParseProcCgroup(std::string_view text);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CGROUP_FILES_H_
