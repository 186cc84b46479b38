// What was measured, as text for people or as one JSON object.
#ifndef CAISSON_BENCH_REPORT_H_
#define CAISSON_BENCH_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "bench/host.h"
#include "bench/idle.h"
#include "bench/latency.h"
#include "bench/throughput.h"
#include "caisson/v1/run.pb.h"

namespace caisson::bench {

struct Report {
  Host host;
  v1::ServerInfo server;
  std::string commit;  // that the programs were built from, if whoever started this knows
  std::string load_before;
  std::string load_after;
  std::vector<LatencyReport> latencies;
  std::vector<ThroughputReport> throughputs;
  std::optional<IdleReport> idle;
};

std::string ToText(const Report& report);
std::string ToJson(const Report& report);

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_REPORT_H_
