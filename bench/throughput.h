// Several clients at once: runs a second through Caisson, beside as many threads that spawn the bare process.
#ifndef CAISSON_BENCH_THROUGHPUT_H_
#define CAISSON_BENCH_THROUGHPUT_H_

#include <string>

#include "absl/status/statusor.h"
#include "bench/execute_client.h"
#include "bench/work.h"

namespace caisson::bench {

struct ThroughputReport {
  std::string work;
  int clients = 0;
  double bare_per_second = 0;
  double calls_per_second = 0;
};

// Both sides in turns of half a second, three turns each. The clients share `client`'s one channel.
absl::StatusOr<ThroughputReport> MeasureThroughput(ExecuteClient& client, const Work& work, int clients);

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_THROUGHPUT_H_
