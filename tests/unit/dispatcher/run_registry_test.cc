#include "dispatcher/run_registry.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "dispatcher/run_name.h"

namespace caisson::dispatcher {
namespace {

const TenantId kTenant("alpha");
const Caller kCaller{kTenant, Role::kRun};
const Caller kOther{TenantId("beta"), Role::kRun};
const Caller kOperator{TenantId(), Role::kOperator};

v1::Run Named(const std::string& name) {
  v1::Run run;
  run.set_name(name);
  run.set_state(v1::Run::QUEUED);
  return run;
}

class RunRegistryTest : public testing::Test {
 protected:
  void AddFinished(uint64_t key, int64_t now_nanos) {
    registry_.Add(key, kTenant, key, Named("r" + std::to_string(key)));
    registry_.Finish(key, v1::RunResult(), 1, now_nanos);
  }
  RunRegistry registry_;
};

TEST_F(RunRegistryTest, FindsByNameAndFollowsTheState) {
  registry_.Add(1, kTenant, 1, Named("r1"));
  registry_.SetState(1, v1::Run::RUNNING);
  ASSERT_NE(registry_.Find(kCaller, "r1", 0), nullptr);
  EXPECT_EQ(registry_.Find(kCaller, "r1", 0)->state(), v1::Run::RUNNING);
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  registry_.Finish(1, result, 1'500'000'000, 0);
  const v1::Run* run = registry_.Find(kCaller, "r1", 0);
  EXPECT_EQ(run->state(), v1::Run::FINISHED);
  EXPECT_EQ(run->result().verdict(), v1::COMPLETED);
  EXPECT_EQ(run->end_time().seconds(), 1);
  EXPECT_EQ(registry_.Find(kCaller, "r2", 0), nullptr);
}

TEST_F(RunRegistryTest, FinishedRunsAreForgottenAfterTenMinutes) {
  AddFinished(1, 0);
  registry_.Add(2, kTenant, 2, Named("r2"));
  EXPECT_NE(registry_.Find(kCaller, "r1", RunRegistry::kKeepNanos - 1), nullptr);
  EXPECT_EQ(registry_.Find(kCaller, "r1", RunRegistry::kKeepNanos), nullptr);
  EXPECT_NE(registry_.Find(kCaller, "r2", RunRegistry::kKeepNanos), nullptr);
}

TEST_F(RunRegistryTest, KeepsTheLastThousandFinishedAndEveryLiveOne) {
  registry_.Add(1, kTenant, 1, Named("live"));
  for (uint64_t key = 2; key < 2 + RunRegistry::kMaxFinished + 5; ++key) {
    AddFinished(key, 0);
  }
  EXPECT_NE(registry_.Find(kCaller, "live", 0), nullptr);
  EXPECT_EQ(registry_.Find(kCaller, "r6", 0), nullptr);
  EXPECT_NE(registry_.Find(kCaller, "r7", 0), nullptr);
}

TEST_F(RunRegistryTest, OnlyUnfinishedRunsAreErasedWhenRefused) {
  AddFinished(1, 0);
  registry_.Add(2, kTenant, 2, Named("r2"));
  registry_.EraseUnlessFinished(1);
  registry_.EraseUnlessFinished(2);
  EXPECT_NE(registry_.Find(kCaller, "r1", 0), nullptr);
  EXPECT_EQ(registry_.Find(kCaller, "r2", 0), nullptr);
}

TEST_F(RunRegistryTest, WhatTheDiskHasIsForgotten) {
  AddFinished(1, 0);
  registry_.Add(2, kTenant, 2, Named("r2"));
  registry_.Erase(1);
  registry_.Erase(3);
  EXPECT_EQ(registry_.Find(kCaller, "r1", 0), nullptr);
  EXPECT_EQ(registry_.At(1), nullptr);
  ASSERT_EQ(registry_.All(kCaller, 0).size(), 1U);
  EXPECT_EQ(registry_.All(kCaller, 0).at(2).name(), "r2");
}

// A finished run whose record has about 1 MiB.
v1::RunResult LargeResult() {
  v1::RunResult result;
  result.set_message(std::string(1024UL * 1024, 'm'));
  return result;
}

TEST_F(RunRegistryTest, LargeResultsAreForgottenSooner) {
  constexpr uint64_t kFit = RunRegistry::kMaxFinishedBytes / (1024UL * 1024) - 1;
  for (uint64_t key = 1; key <= kFit + 2; ++key) {
    registry_.Add(key, kTenant, key, Named("r" + std::to_string(key)));
    registry_.Finish(key, LargeResult(), 1, 0);
  }
  EXPECT_EQ(registry_.Find(kCaller, "r1", 0), nullptr);
  EXPECT_EQ(registry_.Find(kCaller, "r2", 0), nullptr);
  EXPECT_NE(registry_.Find(kCaller, "r3", 0), nullptr);
  AddFinished(100, 0);
  EXPECT_NE(registry_.Find(kCaller, "r4", 0), nullptr);
}

TEST_F(RunRegistryTest, AnotherTenantsRunIsNotThere) {
  registry_.Add(1, kTenant, 1, Named("r1"));
  EXPECT_NE(registry_.Find(kCaller, "r1", 0), nullptr);
  EXPECT_EQ(registry_.Find(kOther, "r1", 0), nullptr);
  EXPECT_EQ(registry_.Find({TenantId("beta"), Role::kObserve}, "r1", 0), nullptr);
  EXPECT_FALSE(registry_.KeyOf(kOther, "r1").has_value());
  EXPECT_TRUE(registry_.All(kOther, 0).empty());
  EXPECT_NE(registry_.Find(kOperator, "r1", 0), nullptr);
  EXPECT_EQ(registry_.KeyOf(kOperator, "r1"), 1U);
}

TEST_F(RunRegistryTest, PlacesCountTheTenantsOwnRunsOnly) {
  uint64_t key = 0;
  for (uint64_t i = 1; i <= 3; ++i) {
    registry_.Add(++key, kTenant, i, Named("a" + std::to_string(i)));
    for (uint64_t j = 1; j <= 7; ++j) {
      registry_.Add(++key, kOther.tenant, 7 * (i - 1) + j, Named("b"));
    }
  }
  const std::map<uint64_t, v1::Run> own = registry_.All(kCaller, 0);
  ASSERT_EQ(own.size(), 3U);
  EXPECT_EQ(own.at(3).name(), "a3");  // whatever the others did in between
  const std::map<uint64_t, v1::Run> all = registry_.All(kOperator, 0);
  EXPECT_EQ(all.size(), 24U);
  EXPECT_EQ(all.at(17).name(), "a3");
}

TEST(RunNameTest, AnIdComesBackFromItsText) {
  const RunId id = NewRunId();
  EXPECT_EQ(ParseRunId(RunIdText(id)), id);
  EXPECT_EQ(RunIdOf(RunName(id)), id);
  EXPECT_FALSE(ParseRunId(RunIdText(id) + "0").has_value());
  EXPECT_FALSE(ParseRunId("").has_value());
  EXPECT_FALSE(RunIdOf(RunIdText(id)).has_value());
}

TEST(RunNameTest, NewNamesAreDifferentAndWellFormed) {
  const std::string one = RunName(NewRunId());
  const std::string two = RunName(NewRunId());
  EXPECT_TRUE(IsRunName(one));
  EXPECT_NE(one, two);
}

}  // namespace
}  // namespace caisson::dispatcher
