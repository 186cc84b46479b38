#include "bench/goals.h"

#include <array>

#include "bench/statistics.h"

namespace caisson::bench {
namespace {

struct Goal {
  const char* work;
  double latency_p50;  // of the bare process; at most
  double throughput;   // of bare processes; at least
};

constexpr std::array<Goal, 2> kGoals{{{"true (native)", 1.6, 0.35}, {"hello (python)", 1.10, 0.85}}};

const Goal* FindGoal(const std::string& work) {
  for (const Goal& goal : kGoals) {
    if (work == goal.work) {
      return &goal;
    }
  }
  return nullptr;
}

double Times(const Distribution& value, const Distribution& bare) {
  return Ratio(static_cast<double>(value.p50_ns), static_cast<double>(bare.p50_ns));
}

}  // namespace

std::vector<GoalRow> JudgeGoals(const Report& report) {
  std::vector<GoalRow> rows;
  for (const LatencyReport& latency : report.latencies) {
    if (const Goal* goal = FindGoal(latency.work); goal != nullptr) {
      const double reached = Times(latency.call, latency.bare);
      rows.push_back({latency.work + ", one at a time, p50", goal->latency_p50, reached,
                      Times(latency.floor, latency.bare), reached <= goal->latency_p50});
    }
  }
  for (const ThroughputReport& throughput : report.throughputs) {
    if (const Goal* goal = FindGoal(throughput.work); goal != nullptr) {
      const double reached = Ratio(throughput.calls_per_second, throughput.bare_per_second);
      rows.push_back({throughput.work + ", " + std::to_string(throughput.clients) + " at once, runs/s",
                      goal->throughput, reached,
                      Ratio(throughput.floor_per_second, throughput.bare_per_second),
                      reached >= goal->throughput});
    }
  }
  return rows;
}

}  // namespace caisson::bench
