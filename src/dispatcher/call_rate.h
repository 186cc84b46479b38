// How many calls may be opened now: a bucket of tokens that fills with time. Pure.
#ifndef CAISSON_DISPATCHER_CALL_RATE_H_
#define CAISSON_DISPATCHER_CALL_RATE_H_

#include <algorithm>
#include <cstdint>

#include "common/clock.h"

namespace caisson::dispatcher {

class CallRate {
 public:
  CallRate(uint32_t per_second, uint32_t burst, int64_t now_ns)
      : nanos_each_(1'000 * kNanosPerMilli / per_second), burst_(burst), full_at_ns_(now_ns) {}

  // `tokens` are at most the burst.
  bool Take(uint32_t tokens, int64_t now_ns) {
    const int64_t full_at = std::max(full_at_ns_, now_ns) + tokens * nanos_each_;
    if (full_at > now_ns + burst_ * nanos_each_) {
      return false;
    }
    full_at_ns_ = full_at;
    return true;
  }

  // When Take of one will be true again.
  int64_t NextNs() const { return full_at_ns_ + nanos_each_ - burst_ * nanos_each_; }

 private:
  const int64_t nanos_each_;
  const int64_t burst_;
  int64_t full_at_ns_;  // when all tokens would be there, were none taken any more
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_CALL_RATE_H_
