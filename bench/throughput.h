// Several clients at once: runs a second through Caisson, beside as many threads that spawn the bare process.
#ifndef CAISSON_BENCH_THROUGHPUT_H_
#define CAISSON_BENCH_THROUGHPUT_H_

#include <string>

#include "absl/status/statusor.h"
#include "bench/execute_client.h"
#include "bench/floor.h"
#include "bench/work.h"

namespace caisson::bench {

struct ThroughputReport {
  std::string work;
  int clients = 0;
  double bare_per_second = 0;
  double calls_per_second = 0;
  double floor_per_second = 0;  // the process in new namespaces and an empty call; 0 where it may not
};

// All sides in turns of half a second, three turns each. The clients share `client`'s one channel. The floor
// is measured where this process may make namespaces.
absl::StatusOr<ThroughputReport> MeasureThroughput(ExecuteClient& client, Floor& floor, const Work& work,
                                                   int clients);

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_THROUGHPUT_H_
