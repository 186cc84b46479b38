#include "dispatcher/tenancy/cpu_ledger.h"

#include <gtest/gtest.h>

namespace caisson::dispatcher {
namespace {

constexpr int64_t kDay = 86'400;
const TenantId kTenant("web");

TEST(CpuLedgerTest, WhatRunsHoldAndUsedNeverGoesBeyondTheQuota) {
  CpuLedger ledger({}, 0);
  EXPECT_TRUE(ledger.Hold(1, kTenant, 600, 1'000, 0));
  EXPECT_FALSE(ledger.Hold(2, kTenant, 600, 1'000, 0));
  EXPECT_TRUE(ledger.HoldsSome(kTenant));
  ledger.Settle(1, 100, 1);
  EXPECT_FALSE(ledger.HoldsSome(kTenant));
  EXPECT_TRUE(ledger.Hold(2, kTenant, 600, 1'000, 1));
  EXPECT_FALSE(ledger.Hold(3, kTenant, 301, 1'000, 1));
  EXPECT_TRUE(ledger.Hold(3, kTenant, 300, 1'000, 1));
  EXPECT_TRUE(ledger.Hold(4, TenantId("ci"), 1'000, 1'000, 1));
}

TEST(CpuLedgerTest, ANewDayBeginsAtNothingButForWhatIsHeld) {
  CpuLedger ledger({}, 0);
  ASSERT_TRUE(ledger.Hold(1, kTenant, 500, 1'000, kDay - 1));
  ASSERT_TRUE(ledger.Hold(2, kTenant, 500, 1'000, kDay - 1));
  ledger.Settle(1, 500, kDay - 1);
  EXPECT_EQ(ledger.UsedMs(kTenant, kDay - 1), 500U);
  EXPECT_EQ(ledger.UsedMs(kTenant, kDay), 0U);
  EXPECT_FALSE(ledger.Hold(3, kTenant, 501, 1'000, kDay));
  EXPECT_TRUE(ledger.Hold(3, kTenant, 500, 1'000, kDay));
}

TEST(CpuLedgerTest, AClockThatGoesBackGivesNothingBack) {
  CpuLedger ledger({}, 0);
  ASSERT_TRUE(ledger.Hold(1, kTenant, 900, 1'000, 5 * kDay));
  ledger.Settle(1, 900, 5 * kDay);
  EXPECT_FALSE(ledger.Hold(2, kTenant, 200, 1'000, 4 * kDay));
  EXPECT_EQ(ledger.UsedMs(kTenant, 0), 900U);
}

TEST(CpuLedgerTest, WhatIsCountedBesideIsSeenForADayAndCountsAgainstNoQuota) {
  CpuLedger ledger({}, 0);
  ledger.CountBeside(kTenant, 5'000, 0);
  EXPECT_EQ(ledger.SeenMs(kTenant, 0), 5'000U);
  EXPECT_EQ(ledger.UsedMs(kTenant, 0), 0U);
  EXPECT_TRUE(ledger.Hold(1, kTenant, 1'000, 1'000, 0));
  ledger.Settle(1, 200, 0);
  EXPECT_EQ(ledger.SeenMs(kTenant, 0), 5'200U);
  EXPECT_EQ(ledger.Of(kTenant), (CpuDay{0, 200, 0}));
  EXPECT_EQ(ledger.SeenMs(kTenant, kDay), 0U);
  EXPECT_EQ(ledger.SeenMs(TenantId("ci"), 0), 0U);
}

TEST(CpuLedgerTest, ARunSettlesOnce) {
  CpuLedger ledger({}, 0);
  ASSERT_TRUE(ledger.Hold(1, kTenant, 10, 1'000, 0));
  ledger.Settle(1, 7, 0);
  ledger.Settle(1, 7, 0);
  ledger.Settle(9, 7, 0);
  EXPECT_EQ(ledger.UsedMs(kTenant, 0), 7U);
}

TEST(CpuLedgerTest, WhatWasStoredGoesOnAndWhatWasHeldThenWasUsed) {
  CpuLedger before({}, 0);
  ASSERT_TRUE(before.Hold(1, kTenant, 300, 1'000, 3 * kDay));
  ASSERT_TRUE(before.Hold(2, kTenant, 400, 1'000, 3 * kDay));
  EXPECT_EQ(before.Settle(1, 100, 3 * kDay), kTenant);
  EXPECT_EQ(before.Of(kTenant), (CpuDay{3, 100, 400}));

  CpuLedger after({{kTenant, before.Of(kTenant)}}, 3 * kDay + 1);
  EXPECT_EQ(after.UsedMs(kTenant, 3 * kDay + 1), 500U);
  EXPECT_FALSE(after.HoldsSome(kTenant)) << "nobody is left who would give it back";
  EXPECT_FALSE(after.MayHold(kTenant, 501, 1'000, 3 * kDay + 1));
  EXPECT_TRUE(after.MayHold(kTenant, 500, 1'000, 3 * kDay + 1));
  CpuLedger next_day({{kTenant, before.Of(kTenant)}}, 4 * kDay);
  EXPECT_EQ(next_day.UsedMs(kTenant, 4 * kDay), 0U);
}

TEST(CpuLedgerTest, ADayThatIsStillToComeIsTakenForToday) {
  CpuLedger ledger({{kTenant, CpuDay{9'999, 700, 0}}}, 5 * kDay);
  EXPECT_EQ(ledger.UsedMs(kTenant, 5 * kDay), 700U);
  EXPECT_EQ(ledger.UsedMs(kTenant, 6 * kDay), 0U) << "or its tenant would never get a new day";
}

TEST(CpuLedgerTest, TheRetryIsAtMidnight) {
  EXPECT_EQ(CpuLedger::MsToNextDay(kDay - 2), 2'000);
  EXPECT_EQ(CpuLedger::MsToNextDay(kDay), kDay * 1'000);
}

}  // namespace
}  // namespace caisson::dispatcher
