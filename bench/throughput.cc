#include "bench/throughput.h"

#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::bench {
namespace {

constexpr int kTurns = 3;
constexpr int64_t kTurnNanos = 500 * kNanosPerMilli;

struct Tally {
  int64_t runs = 0;
  int64_t elapsed_ns = 0;

  double PerSecond() const {
    return elapsed_ns > 0 ? static_cast<double>(runs) * 1e9 / static_cast<double>(elapsed_ns) : 0;
  }
};

// Every thread begins its next run as soon as its last one has ended, until the turn is over. Time counts
// until the last thread is done, because that run counts too.
absl::Status TakeTurn(int threads, const std::function<absl::Status()>& run_once, Tally& tally) {
  std::atomic<int64_t> runs = 0;
  std::mutex mutex;
  absl::Status failure;
  const int64_t begin_ns = MonotonicNanos();
  const auto loop = [&] {
    while (MonotonicNanos() - begin_ns < kTurnNanos) {
      if (absl::Status status = run_once(); !status.ok()) {
        const std::lock_guard lock(mutex);
        failure = status;
        return;
      }
      ++runs;
    }
  };
  std::vector<std::thread> pool;
  for (int i = 0; i < threads; ++i) {
    pool.emplace_back(loop);
  }
  for (std::thread& thread : pool) {
    thread.join();
  }
  tally.runs += runs;
  tally.elapsed_ns += MonotonicNanos() - begin_ns;
  return failure;
}

}  // namespace

absl::StatusOr<ThroughputReport> MeasureThroughput(ExecuteClient& client, Floor& floor, const Work& work,
                                                   int clients) {
  Tally bare;
  Tally calls;
  Tally floors;
  for (int turn = 0; turn < kTurns; ++turn) {
    RETURN_IF_ERROR(TakeTurn(
        clients, [&] { return RunCommand(work).status(); }, bare));
    RETURN_IF_ERROR(TakeTurn(
        clients, [&] { return RunCall(client, work).status(); }, calls));
    if (geteuid() == 0) {
      RETURN_IF_ERROR(TakeTurn(
          clients, [&] { return floor.RunInNamespaces(work); }, floors));
    }
  }
  return ThroughputReport{.work = work.name,
                          .clients = clients,
                          .bare_per_second = bare.PerSecond(),
                          .calls_per_second = calls.PerSecond(),
                          .floor_per_second = floors.PerSecond()};
}

}  // namespace caisson::bench
