// Percentiles of measured times. Nothing here knows what was measured.
#ifndef CAISSON_BENCH_STATISTICS_H_
#define CAISSON_BENCH_STATISTICS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace caisson::bench {

// The nearest-rank percentile: always a value that was measured. 0 when nothing was. `percent` is above 0 and
// at most 100.
inline int64_t Percentile(std::vector<int64_t> values, double percent) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(percent / 100.0 * static_cast<double>(values.size()));
  return values[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

struct Distribution {
  int64_t p50_ns = 0;
  int64_t p99_ns = 0;
};

inline Distribution Distribute(const std::vector<int64_t>& values) {
  return {.p50_ns = Percentile(values, 50), .p99_ns = Percentile(values, 99)};
}

// 0 when there is nothing to compare with.
inline double Ratio(double value, double base) { return base > 0 ? value / base : 0; }

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_STATISTICS_H_
