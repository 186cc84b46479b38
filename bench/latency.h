// One client, one run at a time: how long a whole call takes, beside the bare process in the same rounds.
#ifndef CAISSON_BENCH_LATENCY_H_
#define CAISSON_BENCH_LATENCY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/execute_client.h"
#include "bench/floor.h"
#include "bench/http_door.h"
#include "bench/peers.h"
#include "bench/statistics.h"
#include "bench/work.h"

namespace caisson::bench {

struct Part {
  std::string name;
  Distribution time;
  double share = 0;  // of the time of all calls together, so that the shares of all parts make 1
};

struct LatencyReport {
  std::string work;
  int rounds = 0;
  Distribution bare;
  Distribution call;
  Distribution floor;                   // the bare process and an empty call
  std::vector<Part> peers;              // their share is none
  std::optional<Distribution> gateway;  // the same call through it
  // queue, setup, start, run and teardown as the server tells them, and "rest": the call without all of them,
  // computed for each round.
  std::vector<Part> parts;
};

// Who takes part beside the bare process.
struct Contest {
  ExecuteClient& client;
  Floor& floor;
  std::vector<Peer> peers;
  std::optional<HttpDoor> gateway;
};

// `rounds` counted rounds after a few that are not. Each round has everybody; who goes first alternates.
absl::StatusOr<LatencyReport> MeasureLatency(Contest& contest, const Work& work, int rounds);

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_LATENCY_H_
