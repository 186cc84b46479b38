// What a run costs while it does nothing: memory and threads of the daemon's processes with N sleeping runs.
// Reads /proc of other users' processes, so it needs root.
#ifndef CAISSON_BENCH_IDLE_H_
#define CAISSON_BENCH_IDLE_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "bench/execute_client.h"

namespace caisson::bench {

struct ProcessCost {
  int processes = 0;
  int threads = 0;
  int64_t rss_bytes = 0;
  int64_t pss_bytes = 0;
};

struct DaemonCost {
  ProcessCost caissond;
  ProcessCost dispatcher;
  ProcessCost sandboxes;  // every other process below caissond: init and payload of each run
};

struct IdleReport {
  int runs = 0;
  DaemonCost before;
  DaemonCost during;
};

// Starts `runs` runs that sleep, looks, and cancels them. An error when the server has no place for so many.
absl::StatusOr<IdleReport> MeasureIdle(ExecuteClient& client, pid_t daemon_pid, int runs);

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_IDLE_H_
