// Limits: the numbers a run is held to, their defaults and their ceilings.
#ifndef CAISSON_POLICY_LIMITS_H_
#define CAISSON_POLICY_LIMITS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace caisson::policy {

enum class LimitId : uint8_t {
  kWallTimeMs,
  kCpuTimeMs,
  kMemoryBytes,
  kPids,
  kOutputBytes,
  kDiskBytes,
  kInodeCount,
  kOpenFiles,
  kFileSizeBytes,
  kStackBytes,
  kCpuMillis,
};
inline constexpr size_t kLimitCount = 11;

// The name in the API, in profiles and on the command line, for example "wall_time_ms".
std::string_view LimitName(LimitId id);
std::optional<LimitId> FindLimit(std::string_view name);
std::vector<std::string> LimitNames();

// The least that can be asked for; 1 but for memory.
uint64_t Minimum(LimitId id);

// The most that any profile may set as a ceiling, whatever its author thinks: later arithmetic relies on it.
uint64_t AbsoluteMaximum(LimitId id);

// One value for each limit, in the limit's own unit.
class Limits {
 public:
  uint64_t Get(LimitId id) const { return values_[static_cast<size_t>(id)]; }
  void Set(LimitId id, uint64_t value) { values_[static_cast<size_t>(id)] = value; }
  bool operator==(const Limits&) const = default;

 private:
  std::array<uint64_t, kLimitCount> values_{};
};

// What a profile's step allows: the value when the client is silent, and the most it may ask for.
struct LimitRange {
  Limits defaults;
  Limits ceilings;
};

// The numbers of docs/specification.md: what holds unless a profile says otherwise. cpu_millis' ceiling is
// every CPU.
LimitRange StandardRunLimits();
LimitRange StandardCompileLimits();

// One limit a client asked for that cannot be had.
struct LimitViolation {
  LimitId limit;
  uint64_t value;
  uint64_t minimum;  // the value is below this,
  uint64_t ceiling;  // or above this
};

// The defaults with `requested` (limit, value) on top. Every violation goes to `violations`; never clamps.
Limits ResolveLimits(const LimitRange& range, const std::vector<std::pair<LimitId, uint64_t>>& requested,
                     std::vector<LimitViolation>& violations);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_LIMITS_H_
