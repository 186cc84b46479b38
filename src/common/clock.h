// Monotonic time. Deadlines never use the wall clock, which an administrator or NTP can move.
#ifndef CAISSON_COMMON_CLOCK_H_
#define CAISSON_COMMON_CLOCK_H_

#include <cstdint>
#include <ctime>

namespace caisson {

// CLOCK_MONOTONIC in nanoseconds.
inline int64_t MonotonicNanos() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

inline constexpr int64_t kNanosPerMilli = 1'000'000;
inline constexpr int64_t kNanosPerMicro = 1'000;

}  // namespace caisson

#endif  // CAISSON_COMMON_CLOCK_H_
