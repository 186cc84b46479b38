#include "dispatcher/tenancy/decision_log.h"

namespace caisson::dispatcher {

std::optional<std::string> DecisionLog::Line(const std::string& tenant, bool allowed, const std::string& text,
                                             int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  Told& told =
      told_.try_emplace({tenant, allowed}, Told{CallRate(kLinesPerSecond, kBurst, now_ns)}).first->second;
  if (!told.rate.Take(1, now_ns)) {
    ++told.left_out;
    return std::nullopt;
  }
  const uint64_t left_out = std::exchange(told.left_out, 0);
  return left_out == 0 ? text : text + " (" + std::to_string(left_out) + " more since the last such line)";
}

}  // namespace caisson::dispatcher
