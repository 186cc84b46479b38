#include "policy/limits.h"

#include <unistd.h>

#include <algorithm>

namespace caisson::policy {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kGiB = 1024 * kMiB;
constexpr uint64_t kPiB = 1024 * 1024ULL * kGiB;
constexpr uint64_t kSecond = 1000;
constexpr uint64_t kMinute = 60 * kSecond;
constexpr uint64_t kWeek = 10'080 * kMinute;
constexpr uint64_t kOneCpu = 1000;
// The stub that waits holds up to 1 MiB, by CPUs and kernel; the rest is room for the smallest program.
constexpr uint64_t kLeastMemoryBytes = 4 * kMiB;

struct LimitRow {
  LimitId id;
  std::string_view name;
  // Below it nothing works: an empty sandbox already needs so much.
  uint64_t minimum;
  uint64_t run_default;
  uint64_t run_ceiling;
  uint64_t compile_default;
  // No profile may go beyond: what the kernel can represent, with room for the arithmetic done on it.
  uint64_t absolute_maximum;
};

constexpr std::array<LimitRow, kLimitCount> kRows = {{
    {LimitId::kWallTimeMs, "wall_time_ms", 1, 10 * kSecond, 5 * kMinute, 30 * kSecond, kWeek},
    {LimitId::kCpuTimeMs, "cpu_time_ms", 1, 10 * kSecond, 5 * kMinute, 30 * kSecond, kWeek},
    {LimitId::kMemoryBytes, "memory_bytes", kLeastMemoryBytes, 256 * kMiB, 2 * kGiB, kGiB, kPiB},
    {LimitId::kPids, "pids", 1, 64, 512, 64, 4'194'304},
    {LimitId::kOutputBytes, "output_bytes", 1, kMiB, 64 * kMiB, kMiB, kPiB},
    {LimitId::kDiskBytes, "disk_bytes", 1, 64 * kMiB, kGiB, 64 * kMiB, kPiB},
    {LimitId::kInodeCount, "inode_count", 1, 4'096, 65'536, 4'096, 2'147'483'647},
    {LimitId::kOpenFiles, "open_files", 1, 256, 4'096, 256, 1'048'576},
    {LimitId::kFileSizeBytes, "file_size_bytes", 1, 64 * kMiB, kGiB, 64 * kMiB, kPiB},
    {LimitId::kStackBytes, "stack_bytes", 1, 8 * kMiB, kGiB, 8 * kMiB, kPiB},
    {LimitId::kCpuMillis, "cpu_millis", 1, kOneCpu, 0, kOneCpu, 1024 * kOneCpu},  // the ceiling is the host's
}};

uint64_t EveryCpu() {
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return kOneCpu * static_cast<uint64_t>(std::max(1L, online));
}

const LimitRow& RowOf(LimitId id) { return kRows.at(static_cast<size_t>(id)); }

}  // namespace

std::string_view LimitName(LimitId id) { return RowOf(id).name; }

uint64_t Minimum(LimitId id) { return RowOf(id).minimum; }

uint64_t AbsoluteMaximum(LimitId id) { return RowOf(id).absolute_maximum; }

std::optional<LimitId> FindLimit(std::string_view name) {
  const auto* found =
      std::find_if(kRows.begin(), kRows.end(), [name](const LimitRow& row) { return row.name == name; });
  return found == kRows.end() ? std::nullopt : std::optional(found->id);
}

std::vector<std::string> LimitNames() {
  std::vector<std::string> names;
  names.reserve(kRows.size());
  for (const LimitRow& row : kRows) {
    names.emplace_back(row.name);
  }
  return names;
}

LimitRange StandardRunLimits() {
  LimitRange range;
  for (const LimitRow& row : kRows) {
    range.defaults.Set(row.id, row.run_default);
    range.ceilings.Set(row.id, row.run_ceiling);
  }
  range.ceilings.Set(LimitId::kCpuMillis, EveryCpu());
  return range;
}

LimitRange StandardCompileLimits() {
  LimitRange range = StandardRunLimits();
  for (const LimitRow& row : kRows) {
    range.defaults.Set(row.id, row.compile_default);
  }
  return range;
}

Limits ResolveLimits(const LimitRange& range, const std::vector<std::pair<LimitId, uint64_t>>& requested,
                     std::vector<LimitViolation>& violations) {
  Limits limits = range.defaults;
  for (const auto& [id, value] : requested) {
    const uint64_t ceiling = range.ceilings.Get(id);
    if (value < Minimum(id) || value > ceiling) {
      violations.push_back({id, value, Minimum(id), ceiling});
      continue;
    }
    limits.Set(id, value);
  }
  return limits;
}

}  // namespace caisson::policy
