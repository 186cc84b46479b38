#include "dispatcher/scheduling/scheduler.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace caisson::dispatcher {
namespace {

using Entry = Scheduler::Entry;

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMs;
const TenantId kOne("one");
const TenantId kTwo("two");

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

class SchedulerTest : public testing::Test {
 protected:
  Entry Add(AdmissionId id, uint64_t memory, uint64_t request_bytes = 1) {
    return scheduler_.Enqueue(id, Demand(memory, request_bytes), 0);
  }
  Scheduler scheduler_{Config(2, 100, 3, 50)};
};

TEST_F(SchedulerTest, AdmitsInOrderUpToTheNumberOfRuns) {
  for (AdmissionId id = 1; id <= 3; ++id) {
    ASSERT_EQ(Add(id, 10), Entry::kAccepted);
  }
  EXPECT_EQ(scheduler_.AdmitNext(0), 1U);
  EXPECT_EQ(scheduler_.AdmitNext(0), 2U);
  EXPECT_EQ(scheduler_.AdmitNext(0), std::nullopt);
  scheduler_.Release(1, 0);
  EXPECT_EQ(scheduler_.AdmitNext(0), 3U);
}

TEST_F(SchedulerTest, HoldsTheMemoryBudget) {
  ASSERT_EQ(Add(1, 60), Entry::kAccepted);
  ASSERT_EQ(scheduler_.AdmitNext(0), 1U);
  ASSERT_EQ(Add(2, 50), Entry::kAccepted);
  EXPECT_EQ(scheduler_.AdmitNext(0), std::nullopt);
  EXPECT_EQ(scheduler_.memory_in_use_bytes(), 60U);
  scheduler_.Release(1, 0);
  EXPECT_EQ(scheduler_.AdmitNext(0), 2U);
  EXPECT_EQ(scheduler_.memory_in_use_bytes(), 50U);
}

TEST_F(SchedulerTest, WhatARunNoLongerNeedsIsForTheNext) {
  ASSERT_EQ(Add(1, 60), Entry::kAccepted);
  ASSERT_EQ(scheduler_.AdmitNext(0), 1U);
  ASSERT_EQ(Add(2, 50), Entry::kAccepted);
  EXPECT_EQ(scheduler_.AdmitNext(0), std::nullopt);
  scheduler_.Reduce(1, 10);
  EXPECT_EQ(scheduler_.AdmitNext(0), 2U);
  scheduler_.Release(1, 0);
  EXPECT_EQ(scheduler_.memory_in_use_bytes(), 50U);
}

TEST_F(SchedulerTest, SmallRunsDoNotOvertakeALargeOne) {
  ASSERT_EQ(Add(1, 60), Entry::kAccepted);
  ASSERT_EQ(scheduler_.AdmitNext(0), 1U);
  ASSERT_EQ(Add(2, 100), Entry::kAccepted);
  ASSERT_EQ(Add(3, 1), Entry::kAccepted);
  EXPECT_EQ(scheduler_.AdmitNext(0), std::nullopt);
  EXPECT_EQ(scheduler_.Waiting(), (std::vector<AdmissionId>{2, 3}));
}

TEST_F(SchedulerTest, QueueHasAHardBound) {
  for (AdmissionId id = 1; id <= 2; ++id) {
    ASSERT_EQ(Add(id, 50), Entry::kAccepted);
    ASSERT_EQ(scheduler_.AdmitNext(0), id);
  }
  ASSERT_EQ(Add(3, 1), Entry::kAccepted);
  ASSERT_EQ(Add(4, 1), Entry::kAccepted);
  ASSERT_EQ(Add(5, 1), Entry::kAccepted);
  EXPECT_EQ(Add(6, 1), Entry::kQueueFull);
  EXPECT_EQ(scheduler_.waiting(), 3U);
  EXPECT_TRUE(scheduler_.TakeDisplaced().empty());
}

TEST_F(SchedulerTest, WaitingRequestsHaveABoundInBytes) {
  ASSERT_EQ(Add(1, 100, 1'000), Entry::kAccepted);  // starts at once, so it does not wait
  ASSERT_EQ(scheduler_.AdmitNext(0), 1U);
  ASSERT_EQ(Add(2, 1, 40), Entry::kAccepted);
  EXPECT_EQ(Add(3, 1, 20), Entry::kTooManyBytes);
  EXPECT_TRUE(scheduler_.Remove(2));
  EXPECT_EQ(Add(3, 1, 20), Entry::kAccepted);
}

TEST_F(SchedulerTest, ARunThatLeavesMakesRoom) {
  ASSERT_EQ(Add(1, 100), Entry::kAccepted);
  ASSERT_EQ(Add(2, 100), Entry::kAccepted);
  EXPECT_TRUE(scheduler_.Remove(1));
  EXPECT_FALSE(scheduler_.Remove(1));
  EXPECT_EQ(scheduler_.AdmitNext(0), 2U);
  EXPECT_FALSE(scheduler_.Remove(2));
}

TEST_F(SchedulerTest, WithoutAQueueARunThatFitsStillStarts) {
  Scheduler scheduler(Config(1, 10, 0, 0));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(10, 5), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0), 1U);
  EXPECT_EQ(scheduler.Enqueue(2, Demand(10, 5), 0), Entry::kQueueFull);
}

TEST_F(SchedulerTest, ARunWaitsForMemoryThatTheHostHas) {
  ASSERT_EQ(Add(1, 60), Entry::kAccepted);
  EXPECT_EQ(scheduler_.AdmitNext(0, 59), std::nullopt);
  EXPECT_TRUE(scheduler_.wants_memory());
  EXPECT_EQ(scheduler_.AdmitNext(0, 60), 1U);
  EXPECT_FALSE(scheduler_.wants_memory());
}

TEST_F(SchedulerTest, OthersWaitForARunThatTheHostHasNoMemoryForWhileOurOwnRunsMayGiveSomeBack) {
  Scheduler scheduler(Config(8, 100, 8, 50));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(10, 1, TenantId("holder")), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0, 90), 1U);
  ASSERT_EQ(scheduler.Enqueue(2, Demand(80), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0, 20), std::nullopt);
  ASSERT_EQ(scheduler.Enqueue(3, Demand(5, 1, kTwo), 0), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(0, 20), 3U) << "for a while others go first";
  ASSERT_EQ(scheduler.Enqueue(4, Demand(5, 1, kTwo), 0), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(3 * kSecond, 20), std::nullopt);
  EXPECT_TRUE(scheduler.wants_memory());
  scheduler.Release(1, 3 * kSecond);
  EXPECT_EQ(scheduler.AdmitNext(3 * kSecond, 80), 2U);
}

TEST_F(SchedulerTest, NobodyWaitsForMemoryThatNoRunOfOursHolds) {
  Scheduler scheduler(Config(8, 100, 8, 50));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(80), 0), Entry::kAccepted);
  for (int64_t second = 0; second < 10; ++second) {
    ASSERT_EQ(scheduler.AdmitNext(second * kSecond, 20), std::nullopt);
  }
  ASSERT_EQ(scheduler.Enqueue(2, Demand(5, 1, kTwo), 10 * kSecond), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(10 * kSecond, 20), 2U);
}

TEST_F(SchedulerTest, TheCpuBudgetHoldsAndALargerRunGoesAlone) {
  SchedulerConfig config = Config(10, 100, 10, 50);
  config.cpu_budget_millis = 2'000;
  Scheduler scheduler(config);
  RunDemand demand = Demand(1);
  for (const auto& [id, cpu] : {std::pair<AdmissionId, uint64_t>{1, 1'500}, {2, 500}, {3, 4'000}}) {
    demand.cpu_millis = cpu;
    ASSERT_EQ(scheduler.Enqueue(id, demand, 0), Entry::kAccepted);
  }
  EXPECT_EQ(scheduler.AdmitNext(0), 1U);
  EXPECT_EQ(scheduler.AdmitNext(0), 2U);
  EXPECT_EQ(scheduler.AdmitNext(0), std::nullopt);
  scheduler.Release(1, 0);
  EXPECT_EQ(scheduler.AdmitNext(0), std::nullopt);
  scheduler.Release(2, 0);
  EXPECT_EQ(scheduler.AdmitNext(0), 3U);
}

TEST_F(SchedulerTest, ATenantHoldsNoMoreThanItsQuotasAndKeepsNobodyElseWaiting) {
  Scheduler scheduler(Config(8, 1'000, 10, 50));
  TenantShare share;
  share.max_running = 2;
  share.memory_bytes = 100;
  share.queue_length = 2;
  scheduler.SetShare(kOne, share);
  EXPECT_EQ(scheduler.Enqueue(9, Demand(101), 0), Entry::kNeverFits);
  ASSERT_EQ(scheduler.Enqueue(1, Demand(60), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0), 1U);
  ASSERT_EQ(scheduler.Enqueue(2, Demand(60), 0), Entry::kAccepted);  // beyond the memory
  ASSERT_EQ(scheduler.Enqueue(3, Demand(1), 0), Entry::kAccepted);
  EXPECT_EQ(scheduler.Enqueue(4, Demand(1), 0), Entry::kTenantQueueFull);
  EXPECT_EQ(scheduler.AdmitNext(0), std::nullopt);
  ASSERT_EQ(scheduler.Enqueue(5, Demand(60, 1, kTwo), 0), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(0), 5U);
  scheduler.Release(1, 0);
  EXPECT_EQ(scheduler.AdmitNext(0), 2U);
  EXPECT_EQ(scheduler.AdmitNext(0), 3U);
  ASSERT_EQ(scheduler.Enqueue(6, Demand(1), 0), Entry::kAccepted);  // beyond the number
  EXPECT_EQ(scheduler.AdmitNext(0), std::nullopt);
}

TEST_F(SchedulerTest, ThoseWhoHoldSomethingLeaveAPlaceForThoseWhoHoldNothing) {
  Scheduler scheduler(Config(4, 1'000, 100, 500));
  scheduler.SetShare(kTwo, {});
  for (AdmissionId id = 1; id <= 10; ++id) {
    ASSERT_EQ(scheduler.Enqueue(id, Demand(10), 0), Entry::kAccepted);
  }
  EXPECT_EQ(scheduler.AdmitNext(0), 1U);
  EXPECT_EQ(scheduler.AdmitNext(0), 2U);
  EXPECT_EQ(scheduler.AdmitNext(0), 3U);
  EXPECT_EQ(scheduler.AdmitNext(0), std::nullopt);
  ASSERT_EQ(scheduler.Enqueue(11, Demand(10, 1, kTwo), 0), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(0), 11U);
}

TEST_F(SchedulerTest, ThoseWhoHoldSomethingLeaveCpuForThoseWhoHoldNothing) {
  SchedulerConfig config = Config(10, 1'000, 100, 500);
  config.cpu_budget_millis = 2'000;
  Scheduler scheduler(config);
  scheduler.SetShare(kTwo, {});
  RunDemand demand = Demand(1);
  demand.cpu_millis = 1'000;
  for (AdmissionId id = 1; id <= 3; ++id) {
    ASSERT_EQ(scheduler.Enqueue(id, demand, 0), Entry::kAccepted);
  }
  EXPECT_EQ(scheduler.AdmitNext(0), 1U);
  EXPECT_EQ(scheduler.AdmitNext(0), std::nullopt);
  demand.tenant = kTwo;
  ASSERT_EQ(scheduler.Enqueue(4, demand, 0), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(0), 4U);
}

TEST_F(SchedulerTest, WhereEverybodyIsHereNothingIsLeftFree) {
  Scheduler scheduler(Config(2, 100, 100, 500));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(1), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.Enqueue(2, Demand(1), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.Enqueue(3, Demand(100, 1, kTwo), 0), Entry::kAccepted);  // too large now
  EXPECT_EQ(scheduler.AdmitNext(0), 1U);
  EXPECT_EQ(scheduler.AdmitNext(0), 2U);
}

TEST_F(SchedulerTest, WhoIsAloneMayHaveEverything) {
  Scheduler scheduler(Config(2, 100, 100, 500));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(99), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.Enqueue(2, Demand(1), 0), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(0), 1U);
  EXPECT_EQ(scheduler.AdmitNext(0), 2U);
}

TEST_F(SchedulerTest, AFullQueueIsSharedToo) {
  Scheduler scheduler(Config(1, 100, 4, 500));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(1), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0), 1U);
  for (AdmissionId id = 2; id <= 5; ++id) {
    ASSERT_EQ(scheduler.Enqueue(id, Demand(1), static_cast<int64_t>(id)), Entry::kAccepted);
  }
  EXPECT_EQ(scheduler.Enqueue(6, Demand(1), 6), Entry::kQueueFull);
  EXPECT_EQ(scheduler.Enqueue(7, Demand(1, 1, kTwo), 7), Entry::kAccepted);
  EXPECT_EQ(scheduler.TakeDisplaced(), (std::vector<AdmissionId>{5}));
  EXPECT_EQ(scheduler.Enqueue(8, Demand(1, 1, kTwo), 8), Entry::kAccepted);
  EXPECT_EQ(scheduler.TakeDisplaced(), (std::vector<AdmissionId>{4}));
  // Two each: nobody has more to give.
  EXPECT_EQ(scheduler.Enqueue(9, Demand(1, 1, kTwo), 9), Entry::kQueueFull);
  EXPECT_TRUE(scheduler.TakeDisplaced().empty());
  EXPECT_EQ(scheduler.waiting(), 4U);
}

TEST_F(SchedulerTest, BytesOfWaitingRequestsAreSharedToo) {
  Scheduler scheduler(Config(1, 100, 100, 100));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(1), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0), 1U);
  ASSERT_EQ(scheduler.Enqueue(2, Demand(1, 45), 2), Entry::kAccepted);
  ASSERT_EQ(scheduler.Enqueue(3, Demand(1, 45), 3), Entry::kAccepted);
  EXPECT_EQ(scheduler.Enqueue(4, Demand(1, 40, kTwo), 4), Entry::kAccepted);
  EXPECT_EQ(scheduler.TakeDisplaced(), (std::vector<AdmissionId>{3}));
  EXPECT_EQ(scheduler.Enqueue(5, Demand(1, 101, kTwo), 5), Entry::kTooManyBytes);
}

// Otherwise whoever sends what is refused anyway could empty another's queue.
TEST_F(SchedulerTest, WhoIsRefusedDisplacesNobody) {
  Scheduler scheduler(Config(1, 100, 4, 100));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(1), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0), 1U);
  for (AdmissionId id = 2; id <= 5; ++id) {
    ASSERT_EQ(scheduler.Enqueue(id, Demand(1, 20), static_cast<int64_t>(id)), Entry::kAccepted);
  }
  // A place could be had, and the bytes of one more; not the rest.
  for (AdmissionId id = 6; id <= 9; ++id) {
    EXPECT_EQ(scheduler.Enqueue(id, Demand(1, 70, kTwo), 6), Entry::kTooManyBytes);
  }
  EXPECT_TRUE(scheduler.TakeDisplaced().empty());
  EXPECT_EQ(scheduler.waiting(), 4U);
  // What can be had is: one goes for the place, and no more than that for the bytes.
  EXPECT_EQ(scheduler.Enqueue(10, Demand(1, 40, kTwo), 7), Entry::kAccepted);
  EXPECT_EQ(scheduler.TakeDisplaced(), (std::vector<AdmissionId>{5}));
}

TEST_F(SchedulerTest, HigherPrioritiesGoFirstAndNoneWaitsForEver) {
  Scheduler scheduler(Config(1, 100, 100'000, 1'000'000));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(1), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0), 1U);
  RunDemand low = Demand(1);
  low.priority = -kMostPriority;
  ASSERT_EQ(scheduler.Enqueue(2, low, 0), Entry::kAccepted);
  RunDemand high = Demand(1);
  high.priority = kMostPriority;
  AdmissionId next = 3;
  AdmissionId running = 1;
  int64_t now = 0;
  // Ten runs a second of the highest priority, for ever: the low one comes up after what its priority costs.
  while (running != 2 && now < 10'000 * kSecond) {
    ASSERT_EQ(scheduler.Enqueue(next++, high, now), Entry::kAccepted);
    now += 100 * kMs;
    scheduler.Release(running, now);
    running = *scheduler.AdmitNext(now);
  }
  EXPECT_EQ(running, 2U);
  EXPECT_NEAR(static_cast<double>(now) / 1e9, 2.0 * kMostPriority * 10, 1);
}

TEST_F(SchedulerTest, EqualPrioritiesGoInTheOrderOfComing) {
  Scheduler scheduler(Config(1, 100, 100, 500));
  ASSERT_EQ(scheduler.Enqueue(1, Demand(1), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0), 1U);
  RunDemand high = Demand(1);
  high.priority = 1;
  ASSERT_EQ(scheduler.Enqueue(2, Demand(1), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.Enqueue(3, Demand(1), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.Enqueue(4, high, 0), Entry::kAccepted);
  EXPECT_EQ(scheduler.Waiting(), (std::vector<AdmissionId>{4, 2, 3}));
  EXPECT_EQ(scheduler.PlaceOf(4), 1U);
  EXPECT_EQ(scheduler.PlaceOf(3), 3U);
  EXPECT_EQ(scheduler.PlaceOf(1), 0U);
}

TEST_F(SchedulerTest, WhatCannotStartBeforeItsDeadlineIsRefusedAtOnce) {
  Scheduler scheduler(Config(1, 100, 100, 500));
  RunDemand demand = Demand(1);
  demand.deadline_ns = 10 * kSecond;
  // Nothing is known yet, so nothing is refused.
  ASSERT_EQ(scheduler.Enqueue(1, demand, 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0), 1U);
  scheduler.Release(1, 4 * kSecond);
  ASSERT_EQ(scheduler.Enqueue(2, Demand(1), 4 * kSecond), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(4 * kSecond), 2U);
  ASSERT_EQ(scheduler.Enqueue(3, demand, 4 * kSecond),
            Entry::kAccepted);  // about four seconds; there are six
  EXPECT_EQ(scheduler.EstimatedWaitNs(kOne), 8 * kSecond);
  EXPECT_EQ(scheduler.Enqueue(4, demand, 4 * kSecond), Entry::kTooLate);
  EXPECT_EQ(scheduler.Enqueue(5, Demand(1), 4 * kSecond), Entry::kAccepted);
}

TEST_F(SchedulerTest, ALargeRunLetsOthersGoFirstForAWhileAndThenGetsItsRoom) {
  Scheduler scheduler(Config(8, 100, 100, 500));
  scheduler.SetShare(kOne, {});
  scheduler.SetShare(kTwo, {});
  ASSERT_EQ(scheduler.Enqueue(1, Demand(40, 1, kTwo), 0), Entry::kAccepted);
  ASSERT_EQ(scheduler.AdmitNext(0), 1U);
  ASSERT_EQ(scheduler.Enqueue(2, Demand(100), 0), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(0), std::nullopt);
  ASSERT_EQ(scheduler.Enqueue(3, Demand(40, 1, kTwo), kSecond), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(kSecond), 3U);
  ASSERT_EQ(scheduler.Enqueue(4, Demand(1, 1, kTwo), 5 * kSecond), Entry::kAccepted);
  EXPECT_EQ(scheduler.AdmitNext(5 * kSecond), std::nullopt);
  scheduler.Release(1, 5 * kSecond);
  EXPECT_EQ(scheduler.AdmitNext(5 * kSecond), std::nullopt);
  scheduler.Release(3, 6 * kSecond);
  EXPECT_EQ(scheduler.AdmitNext(6 * kSecond), 2U);
  EXPECT_EQ(scheduler.AdmitNext(6 * kSecond), std::nullopt);
  scheduler.Release(2, 7 * kSecond);
  EXPECT_EQ(scheduler.AdmitNext(7 * kSecond), 4U);
}

}  // namespace
}  // namespace caisson::dispatcher
