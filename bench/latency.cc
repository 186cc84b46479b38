#include "bench/latency.h"

#include <array>
#include <numeric>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::bench {
namespace {

constexpr int kWarmUpRounds = 20;
constexpr std::array<const char*, 6> kPartNames = {"queue", "setup", "start", "run", "teardown", "rest"};

int64_t ToNanos(const google::protobuf::Duration& duration) {
  return duration.seconds() * 1000 * kNanosPerMilli + duration.nanos();
}

// In the order of kPartNames.
std::array<int64_t, kPartNames.size()> PartsOf(const CallOutcome& outcome) {
  const v1::Timings& timings = outcome.result.timings();
  std::array<int64_t, kPartNames.size()> parts = {ToNanos(timings.queue()),    ToNanos(timings.setup()),
                                                  ToNanos(timings.start()),    ToNanos(timings.run()),
                                                  ToNanos(timings.teardown()), outcome.total_ns};
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    parts.back() -= parts[i];
  }
  return parts;
}

double Sum(const std::vector<int64_t>& values) {
  return static_cast<double>(std::accumulate(values.begin(), values.end(), int64_t{0}));
}

struct Samples {
  std::vector<int64_t> bare;
  std::vector<int64_t> call;
  std::vector<int64_t> floor;
  std::vector<std::vector<int64_t>> peers;
  std::vector<int64_t> gateway;
  std::array<std::vector<int64_t>, kPartNames.size()> parts;
};

absl::Status AddBare(Floor& floor, const Work& work, Samples& samples) {
  ASSIGN_OR_RETURN(const BareOutcome outcome, RunCommand(work));
  samples.bare.push_back(outcome.total_ns);
  ASSIGN_OR_RETURN(const int64_t call_ns, floor.Call());
  samples.floor.push_back(outcome.total_ns + call_ns);
  return absl::OkStatus();
}

absl::Status AddPeers(const std::vector<Peer>& peers, Samples& samples) {
  samples.peers.resize(peers.size());
  for (size_t i = 0; i < peers.size(); ++i) {
    ASSIGN_OR_RETURN(const int64_t total_ns, RunPeer(peers[i]));
    samples.peers[i].push_back(total_ns);
  }
  return absl::OkStatus();
}

absl::Status AddCall(ExecuteClient& client, const Work& work, Samples& samples) {
  ASSIGN_OR_RETURN(const CallOutcome outcome, RunCall(client, work));
  samples.call.push_back(outcome.total_ns);
  const auto parts = PartsOf(outcome);
  for (size_t i = 0; i < parts.size(); ++i) {
    samples.parts[i].push_back(parts[i]);
  }
  return absl::OkStatus();
}

absl::Status AddGateway(std::optional<HttpDoor>& gateway, const std::string& request, Samples& samples) {
  if (!gateway.has_value()) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const int64_t total_ns, gateway->Execute(request));
  samples.gateway.push_back(total_ns);
  return absl::OkStatus();
}

absl::Status RunRounds(Contest& contest, const Work& work, int rounds, Samples& samples) {
  ASSIGN_OR_RETURN(const std::string http, HttpDoor::Prepare(work.request));
  for (int round = 0; round < rounds; ++round) {
    // Whoever comes second finds warmer caches, and what the first one leaves behind for the kernel to clear
    // up.
    if (round % 2 == 0) {
      RETURN_IF_ERROR(AddBare(contest.floor, work, samples));
      RETURN_IF_ERROR(AddCall(contest.client, work, samples));
      RETURN_IF_ERROR(AddGateway(contest.gateway, http, samples));
    } else {
      RETURN_IF_ERROR(AddGateway(contest.gateway, http, samples));
      RETURN_IF_ERROR(AddCall(contest.client, work, samples));
      RETURN_IF_ERROR(AddBare(contest.floor, work, samples));
    }
    RETURN_IF_ERROR(AddPeers(contest.peers, samples));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LatencyReport> MeasureLatency(Contest& contest, const Work& work, int rounds) {
  Samples warm_up;
  RETURN_IF_ERROR(RunRounds(contest, work, kWarmUpRounds, warm_up));
  Samples samples;
  RETURN_IF_ERROR(RunRounds(contest, work, rounds, samples));
  LatencyReport report;
  report.work = work.name;
  report.rounds = rounds;
  report.bare = Distribute(samples.bare);
  report.call = Distribute(samples.call);
  report.floor = Distribute(samples.floor);
  if (contest.gateway.has_value()) {
    report.gateway = Distribute(samples.gateway);
  }
  for (size_t i = 0; i < contest.peers.size(); ++i) {
    report.peers.push_back({.name = contest.peers[i].name, .time = Distribute(samples.peers[i]), .share = 0});
  }
  for (size_t i = 0; i < kPartNames.size(); ++i) {
    report.parts.push_back({.name = kPartNames[i],
                            .time = Distribute(samples.parts[i]),
                            .share = Ratio(Sum(samples.parts[i]), Sum(samples.call))});
  }
  return report;
}

}  // namespace caisson::bench
