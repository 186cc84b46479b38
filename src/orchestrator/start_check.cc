#include "orchestrator/start_check.h"

#include <array>

namespace caisson::orchestrator {
namespace {

struct Row {
  uint64_t value;
  policy::LimitId id;
  ipc::LimitName name;
};

template <size_t N>
std::optional<ipc::LimitName> FirstOutOfRange(const std::array<Row, N>& rows,
                                              const policy::LimitRange& range) {
  for (const Row& row : rows) {
    if (row.value < policy::Minimum(row.id) || row.value > range.ceilings.Get(row.id)) {
      return row.name;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ipc::LimitName> FindLimitOutOfRange(const ipc::StartLimits& limits,
                                                  const policy::LimitRange& range) {
  using policy::LimitId;
  return FirstOutOfRange(
      std::array<Row, 8>{{{limits.wall_time_ms, LimitId::kWallTimeMs, ipc::LimitName::kWallTime},
                          {limits.cpu_time_ms, LimitId::kCpuTimeMs, ipc::LimitName::kCpuTime},
                          {limits.memory_bytes, LimitId::kMemoryBytes, ipc::LimitName::kMemory},
                          {limits.pids, LimitId::kPids, ipc::LimitName::kPids},
                          {limits.open_files, LimitId::kOpenFiles, ipc::LimitName::kOpenFiles},
                          {limits.file_size_bytes, LimitId::kFileSizeBytes, ipc::LimitName::kFileSize},
                          {limits.stack_bytes, LimitId::kStackBytes, ipc::LimitName::kStack},
                          {limits.cpu_millis, LimitId::kCpuMillis, ipc::LimitName::kCpuMillis}}},
      range);
}

std::optional<ipc::LimitName> FindSizeOutOfRange(const ipc::Prepare& prepare,
                                                 const policy::LimitRange& range) {
  using policy::LimitId;
  return FirstOutOfRange(
      std::array<Row, 2>{{{prepare.disk_bytes, LimitId::kDiskBytes, ipc::LimitName::kDisk},
                          {prepare.inode_count, LimitId::kInodeCount, ipc::LimitName::kInodes}}},
      range);
}

}  // namespace caisson::orchestrator
