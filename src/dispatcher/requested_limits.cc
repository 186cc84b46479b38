#include "dispatcher/requested_limits.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace caisson::dispatcher {
namespace {

using policy::LimitId;

struct LimitField {
  LimitId id;
  bool (v1::Limits::*has)() const;
  uint64_t (v1::Limits::*get)() const;
  void (v1::Limits::*set)(uint64_t);
};

#define CAISSON_LIMIT_FIELD(id, name) \
  LimitField { LimitId::id, &v1::Limits::has_##name, &v1::Limits::name, &v1::Limits::set_##name }
constexpr std::array kFields = {
    CAISSON_LIMIT_FIELD(kWallTimeMs, wall_time_ms),       CAISSON_LIMIT_FIELD(kCpuTimeMs, cpu_time_ms),
    CAISSON_LIMIT_FIELD(kMemoryBytes, memory_bytes),      CAISSON_LIMIT_FIELD(kPids, pids),
    CAISSON_LIMIT_FIELD(kOutputBytes, output_bytes),      CAISSON_LIMIT_FIELD(kDiskBytes, disk_bytes),
    CAISSON_LIMIT_FIELD(kInodeCount, inode_count),        CAISSON_LIMIT_FIELD(kOpenFiles, open_files),
    CAISSON_LIMIT_FIELD(kFileSizeBytes, file_size_bytes), CAISSON_LIMIT_FIELD(kStackBytes, stack_bytes),
    CAISSON_LIMIT_FIELD(kCpuMillis, cpu_millis),
};
#undef CAISSON_LIMIT_FIELD
static_assert(kFields.size() == policy::kLimitCount);

}  // namespace

std::vector<std::pair<LimitId, uint64_t>> AskedLimits(const v1::Limits& requested) {
  std::vector<std::pair<LimitId, uint64_t>> values;
  for (const LimitField& field : kFields) {
    if ((requested.*field.has)()) {
      values.emplace_back(field.id, (requested.*field.get)());
    }
  }
  return values;
}

std::vector<FieldViolation> ResolveRequestedLimits(const v1::Limits& requested,
                                                   const policy::LimitRange& range,
                                                   policy::Limits& resolved) {
  const std::vector<std::pair<LimitId, uint64_t>> values = AskedLimits(requested);
  std::vector<policy::LimitViolation> exceeded;
  resolved = policy::ResolveLimits(range, values, exceeded);
  std::vector<FieldViolation> violations;
  for (const policy::LimitViolation& violation : exceeded) {
    violations.push_back({"limits." + std::string(policy::LimitName(violation.limit)),
                          "must be from " + std::to_string(violation.minimum) + " to " +
                              std::to_string(violation.ceiling) + ", not " +
                              std::to_string(violation.value)});
  }
  return violations;
}

v1::Limits LimitsToProto(const policy::Limits& limits) {
  v1::Limits message;
  for (const LimitField& field : kFields) {
    (message.*field.set)(limits.Get(field.id));
  }
  return message;
}

}  // namespace caisson::dispatcher
