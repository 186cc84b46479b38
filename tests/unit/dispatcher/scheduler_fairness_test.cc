// Fairness between tenants, on a clock of the test's own.
#include <gtest/gtest.h>

#include <map>
#include <queue>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "dispatcher/scheduling/scheduler.h"

namespace caisson::dispatcher {
namespace {

using Entry = Scheduler::Entry;

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMs;
const TenantId kOne("one");
const TenantId kTwo("two");
const TenantId kThree("three");

SchedulerConfig Config(uint32_t max_running, uint64_t memory, uint32_t queue_length, uint64_t queued_bytes) {
  SchedulerConfig config;
  config.max_running = max_running;
  config.memory_budget_bytes = memory;
  config.cpu_millis = 1'000'000;  // so that memory or places decide, unless a test says otherwise
  config.queue_length = queue_length;
  config.max_queued_bytes = queued_bytes;
  return config;
}

RunDemand Demand(uint64_t memory, uint64_t request_bytes = 1, const TenantId& tenant = kOne) {
  RunDemand demand;
  demand.tenant = tenant;
  demand.memory_bytes = memory;
  demand.request_bytes = request_bytes;
  return demand;
}

struct Load {
  TenantId tenant;
  uint64_t weight = 1;
  uint64_t memory = 10;
  uint64_t cpu = 0;
  double mean_ms = 50;
  size_t backlog = 20;  // waiting at any time
};

struct Simulation {
  explicit Simulation(const SchedulerConfig& config) : scheduler(config) {}

  // Until `until`: every tenant keeps its backlog, runs last for random times around their mean.
  void Run(const std::vector<Load>& loads, int64_t until) {
    for (const Load& load : loads) {
      TenantShare share;
      share.weight = load.weight;
      scheduler.SetShare(load.tenant, share);
    }
    while (now < until) {
      for (const Load& load : loads) {
        while (scheduler.WaitingOf(load.tenant) < load.backlog) {
          RunDemand demand = Demand(load.memory, 1, load.tenant);
          demand.cpu_millis = load.cpu;
          ASSERT_EQ(scheduler.Enqueue(next, demand, now), Entry::kAccepted);
          of[next++] = &load;
        }
      }
      while (const auto id = scheduler.AdmitNext(now)) {
        const Load& load = *of.at(*id);
        const auto lasts =
            static_cast<int64_t>(std::uniform_real_distribution<>(0.5, 1.5)(random) * load.mean_ms * 1e6);
        ends.emplace(now + lasts, *id);
        time[load.tenant] += static_cast<double>(lasts);
        ++started[load.tenant];
      }
      ASSERT_FALSE(ends.empty());
      const auto [end, id] = ends.top();
      ends.pop();
      now = end;
      scheduler.Release(id, now);
      of.erase(id);
    }
  }
  // Of all the time that runs had.
  double PartOf(const TenantId& tenant) const {
    double all = 0;
    for (const auto& [other, had] : time) {
      all += had;
    }
    return time.at(tenant) / all;
  }

  Scheduler scheduler;
  std::mt19937 random{1};
  std::priority_queue<std::pair<int64_t, AdmissionId>, std::vector<std::pair<int64_t, AdmissionId>>,
                      std::greater<>>
      ends;
  std::map<AdmissionId, const Load*> of;
  std::map<TenantId, double> time;
  std::map<TenantId, int> started;
  AdmissionId next = 1;
  int64_t now = 0;
};

TEST(SchedulerFairnessTest, WeightsOneTwoFourGetTheirSharesWhateverTheNumberOfPlaces) {
  for (const uint32_t places : {1U, 2U, 4U, 7U, 16U, 64U}) {
    Simulation simulation(Config(places, 1'000'000, 1'000, 1'000'000));
    const std::vector<Load> loads = {{kOne, 1}, {kTwo, 2}, {kThree, 4}};
    simulation.Run(loads, (places < 16 ? 100 : 20) * kSecond);
    EXPECT_NEAR(simulation.PartOf(kOne), 1.0 / 7, 0.1 / 7) << places;
    EXPECT_NEAR(simulation.PartOf(kTwo), 2.0 / 7, 0.2 / 7) << places;
    EXPECT_NEAR(simulation.PartOf(kThree), 4.0 / 7, 0.4 / 7) << places;
  }
}

TEST(SchedulerFairnessTest, LongRunsGetNoMoreTimeThanShortOnes) {
  Simulation simulation(Config(8, 1'000'000, 1'000, 1'000'000));
  simulation.Run({{kOne, 1, 10, 0, 1'000}, {kTwo, 1, 10, 0, 20}}, 200 * kSecond);
  EXPECT_NEAR(simulation.PartOf(kOne), 0.5, 0.05);
  EXPECT_GT(simulation.started[kTwo], 20 * simulation.started[kOne]);
}

TEST(SchedulerFairnessTest, WhoTakesMoreMemoryRunsLess) {
  // Memory is what runs short: 64 small ones fill it, or 16 large ones.
  Simulation simulation(Config(1'000, 640, 1'000, 1'000'000));
  simulation.Run({{kOne, 1, 10}, {kTwo, 1, 40}}, 40 * kSecond);
  const double memory_time_of_one = simulation.time[kOne] * 10;
  const double memory_time_of_two = simulation.time[kTwo] * 40;
  EXPECT_NEAR(memory_time_of_one / (memory_time_of_one + memory_time_of_two), 0.5, 0.05);
}

TEST(SchedulerFairnessTest, TheShareThatCountsIsTheOneOfWhatATenantTakesMostOf) {
  SchedulerConfig config = Config(1'000, 1'000, 1'000, 1'000'000);
  config.cpu_millis = 10'000;
  config.cpu_budget_millis = 10'000;
  Simulation simulation(config);
  // One takes CPU (a twentieth of it), the other memory (a tenth): they get the same dominant share.
  simulation.Run({{kOne, 1, 1, 500}, {kTwo, 1, 100, 10}}, 60 * kSecond);
  const double cpu_time = simulation.time[kOne] * 500 / 10'000;
  const double memory_time = simulation.time[kTwo] * 100 / 1'000;
  EXPECT_GT(simulation.started[kOne], simulation.started[kTwo]);
  EXPECT_GT(cpu_time + memory_time, 1.2 * static_cast<double>(simulation.now));  // both are well used
}

TEST(SchedulerFairnessTest, ATenantThatWasIdleHasNothingSavedUp) {
  Simulation simulation(Config(4, 1'000'000, 1'000, 1'000'000));
  simulation.scheduler.SetShare(kTwo, {});
  simulation.Run({{kOne, 1}}, 100 * kSecond);
  simulation.time.clear();
  simulation.Run({{kOne, 1}, {kTwo, 1}}, simulation.now + 20 * kSecond);
  EXPECT_NEAR(simulation.PartOf(kOne), 0.5, 0.05);
}

TEST(SchedulerFairnessTest, AFloodDelaysNobodyElsesStart) {
  // One tenant has a thousand waiting; another comes with one run at a time.
  Scheduler scheduler(Config(4, 1'000'000, 10'000, 1'000'000));
  scheduler.SetShare(kOne, {});
  scheduler.SetShare(kTwo, {});
  for (AdmissionId id = 1; id <= 1'000; ++id) {
    ASSERT_EQ(scheduler.Enqueue(id, Demand(10), 0), Entry::kAccepted);
  }
  std::set<AdmissionId> running;
  while (const auto id = scheduler.AdmitNext(0)) {
    running.insert(*id);
  }
  for (int i = 0; i < 200; ++i) {
    const int64_t now = i * 100 * kMs;
    const AdmissionId theirs = 10'000 + static_cast<AdmissionId>(i);
    ASSERT_EQ(scheduler.Enqueue(theirs, Demand(10, 1, kTwo), now), Entry::kAccepted);
    EXPECT_EQ(scheduler.AdmitNext(now), theirs);
    scheduler.Release(theirs, now + 10 * kMs);
    // Meanwhile one of the flood ends, and the next of it starts.
    const AdmissionId ended = *running.begin();
    running.erase(running.begin());
    scheduler.Release(ended, now + 20 * kMs);
    running.insert(*scheduler.AdmitNext(now + 20 * kMs));
  }
}

TEST(SchedulerFairnessTest, NothingIsEverHeldBeyondABoundWhateverHappens) {
  std::mt19937 random(7);
  SchedulerConfig config = Config(5, 100, 12, 60);
  config.cpu_budget_millis = 3'000;
  Scheduler scheduler(config);
  const std::vector<TenantId> tenants = {kOne, kTwo, kThree};
  std::map<TenantId, TenantShare> shares;
  for (size_t i = 0; i < tenants.size(); ++i) {
    TenantShare share;
    share.weight = i + 1;
    share.max_running = 2 + i;
    share.memory_bytes = 60;
    share.queue_length = 6;
    scheduler.SetShare(tenants[i], share);
    shares[tenants[i]] = share;
  }
  std::map<AdmissionId, RunDemand> running;
  std::map<AdmissionId, RunDemand> waiting;
  const auto any = [&](auto& of) { return std::next(of.begin(), static_cast<long>(random() % of.size())); };
  int64_t now = 0;
  for (AdmissionId id = 1; id <= 100'000; ++id) {
    now += static_cast<int64_t>(random() % 20) * kMs;
    switch (random() % 5) {
      case 0:
      case 1: {
        RunDemand demand = Demand(1 + random() % 70, random() % 20, tenants[random() % 3]);
        demand.cpu_millis = random() % 1'500;
        demand.priority = static_cast<int32_t>(random() % 21) - 10;
        if (random() % 4 == 0) {
          demand.deadline_ns = now + static_cast<int64_t>(random() % 1'000) * kMs;
        }
        if (scheduler.Enqueue(id, demand, now) == Entry::kAccepted) {
          waiting[id] = demand;
        }
        for (const AdmissionId displaced : scheduler.TakeDisplaced()) {
          ASSERT_EQ(waiting.erase(displaced), 1U);
        }
        break;
      }
      case 2:
        if (!waiting.empty()) {
          const AdmissionId leaves = any(waiting)->first;
          ASSERT_TRUE(scheduler.Remove(leaves));
          waiting.erase(leaves);
        }
        break;
      case 3:
        if (!running.empty()) {
          const AdmissionId ends = any(running)->first;
          scheduler.Release(ends, now);
          running.erase(ends);
        }
        break;
      default:
        while (const auto started = scheduler.AdmitNext(now)) {
          running[*started] = waiting.at(*started);
          waiting.erase(*started);
        }
    }
    ASSERT_EQ(scheduler.waiting(), waiting.size());
    ASSERT_EQ(scheduler.running(), running.size());
    ASSERT_LE(running.size(), config.max_running);
    uint64_t memory = 0;
    uint64_t cpu = 0;
    std::map<TenantId, std::pair<uint64_t, uint64_t>> of;
    for (const auto& [run, demand] : running) {
      memory += demand.memory_bytes;
      cpu += demand.cpu_millis;
      ++of[demand.tenant].first;
      of[demand.tenant].second += demand.memory_bytes;
    }
    ASSERT_LE(memory, config.memory_budget_bytes);
    ASSERT_LE(cpu, config.cpu_budget_millis);
    ASSERT_EQ(scheduler.memory_in_use_bytes(), memory);
    for (const auto& [tenant, held] : of) {
      ASSERT_LE(held.first, shares[tenant].max_running);
      ASSERT_LE(held.second, shares[tenant].memory_bytes);
    }
  }
  // All of it can still be served to the end.
  while (!running.empty() || !waiting.empty()) {
    now += 10 * kSecond;
    while (const auto started = scheduler.AdmitNext(now)) {
      running[*started] = waiting.at(*started);
      waiting.erase(*started);
    }
    ASSERT_FALSE(running.empty());
    scheduler.Release(running.begin()->first, now);
    running.erase(running.begin());
  }
}

}  // namespace
}  // namespace caisson::dispatcher
