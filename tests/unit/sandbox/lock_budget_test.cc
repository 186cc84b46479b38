#include "sandbox/init/lock_budget.h"

#include <gtest/gtest.h>

namespace caisson::init {
namespace {

using Answer = LockBudget::Answer;
constexpr int64_t kSecond = 1'000'000'000;

// How many calls go on until one does not; that one's answer is in `last`.
uint64_t CallsThatGoOn(LockBudget& budget, bool of_open_file, int64_t now, Answer& last) {
  uint64_t calls = 0;
  while ((last = budget.Take(of_open_file, now)) == Answer::kGoOn) {
    ++calls;
  }
  return calls;
}

TEST(LockBudgetTest, NoMoreCallsGoOnThanTheirLocksMayBe) {
  LockBudget budget;
  Answer last{};
  EXPECT_EQ(CallsThatGoOn(budget, false, 0, last), LockBudget::kMostHeld / LockBudget::kLocksPerCall);
  EXPECT_EQ(last, Answer::kAsk);
}

TEST(LockBudgetTest, WhatIsNotHeldAnyMoreIsGivenBack) {
  LockBudget budget;
  Answer last{};
  for (int round = 0; round < 1000; ++round) {
    EXPECT_EQ(CallsThatGoOn(budget, false, 0, last), LockBudget::kMostHeld / LockBudget::kLocksPerCall)
        << round;
    ASSERT_EQ(last, Answer::kAsk);
    budget.Held(0, 0);
  }
}

TEST(LockBudgetTest, WhatIsHeldIsNot) {
  LockBudget budget;
  Answer last{};
  CallsThatGoOn(budget, false, 0, last);
  budget.Held(LockBudget::kMostHeld - 10, 0);
  EXPECT_EQ(CallsThatGoOn(budget, false, 0, last), 10 / LockBudget::kLocksPerCall);
  EXPECT_EQ(last, Answer::kRefuse);  // Asking again at once would cost caissond more than it brings.
  EXPECT_EQ(budget.Take(false, kSecond - 1), Answer::kRefuse);
  EXPECT_EQ(budget.Take(false, kSecond), Answer::kAsk);
  budget.Held(LockBudget::kMostHeld, 5 * kSecond);  // caissond was busy
  EXPECT_EQ(budget.Take(false, 5 * kSecond), Answer::kRefuse);
}

TEST(LockBudgetTest, AnUnknownNumberGivesNothingBack) {
  LockBudget budget;
  Answer last{};
  CallsThatGoOn(budget, false, 0, last);
  budget.Held(UINT64_MAX, 0);
  EXPECT_EQ(budget.Take(false, 0), Answer::kRefuse);
  budget.Held(LockBudget::kMostHeld, 0);
  EXPECT_EQ(budget.Take(false, 0), Answer::kRefuse);
}

TEST(LockBudgetTest, LocksOfOpenFilesHaveABoundOfTheirOwnThatNothingGivesBack) {
  LockBudget budget;
  Answer last{};
  EXPECT_EQ(CallsThatGoOn(budget, true, 0, last), LockBudget::kMostOpenFileCalls);
  EXPECT_EQ(last, Answer::kRefuse);
  budget.Held(0, 0);
  EXPECT_EQ(budget.Take(true, 100 * kSecond), Answer::kRefuse);
  EXPECT_EQ(budget.Take(false, 0), Answer::kGoOn);
}

}  // namespace
}  // namespace caisson::init
