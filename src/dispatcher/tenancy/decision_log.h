// Lines of the log about decisions, so many of each tenant and no more: what a client's flood is refused for
// neither fills the log nor makes others wait for it. What is left out is counted. Any thread; the time is an
// argument.
#ifndef CAISSON_DISPATCHER_TENANCY_DECISION_LOG_H_
#define CAISSON_DISPATCHER_TENANCY_DECISION_LOG_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "dispatcher/call_rate.h"

namespace caisson::dispatcher {

class DecisionLog {
 public:
  static constexpr uint32_t kLinesPerSecond = 5;  // of a tenant's refusals, and of its runs
  static constexpr uint32_t kBurst = 20;

  // `text` with how many were left out before it, or nothing: the tenant has had its lines. Tenants come from
  // the configuration, so there are few.
  std::optional<std::string> Line(const std::string& tenant, bool allowed, const std::string& text,
                                  int64_t now_ns);

 private:
  struct Told {
    CallRate rate;
    uint64_t left_out = 0;
  };
  std::mutex mutex_;
  std::map<std::pair<std::string, bool>, Told> told_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_TENANCY_DECISION_LOG_H_
