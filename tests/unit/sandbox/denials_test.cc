#include "sandbox/init/denials.h"

#include <gtest/gtest.h>

namespace caisson::init {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint64_t kArgs[6] = {1, 2, 3, 4, 5, 6};

TEST(DenialCounterTest, FirstRefusalOfACallIsAnEventAndLaterOnesAreNot) {
  DenialCounter counter(100);
  const DenialKind* first = counter.Count(41, false, kArgs, 0);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->args[5], 6U);
  EXPECT_EQ(counter.Count(41, false, kArgs, 1), nullptr);
  EXPECT_EQ(counter.kind(0).count, 2U);
  EXPECT_EQ(counter.total(), 2U);
}

TEST(DenialCounterTest, KindsBeyondTheTableAreSummedUp) {
  DenialCounter counter(1'000'000);
  for (int number = 0; number < 200; ++number) {
    const bool live = counter.Count(number, false, kArgs, 0) != nullptr;
    EXPECT_EQ(live, number < static_cast<int>(wire::kMaxLiveDenials));
  }
  EXPECT_EQ(counter.kinds(), wire::kMaxDenialKinds);
  EXPECT_EQ(counter.other(), 200U - wire::kMaxDenialKinds);
  EXPECT_EQ(counter.total(), 200U);
}

TEST(DenialCounterTest, RateIsOverOnlyAboveTheLimitWithinASecond) {
  DenialCounter counter(3);
  for (int i = 0; i < 3; ++i) {
    counter.Count(41, false, kArgs, kSecond + i);
  }
  EXPECT_FALSE(counter.over_rate());
  counter.Count(41, false, kArgs, kSecond + 4);
  EXPECT_TRUE(counter.over_rate());
}

TEST(DenialCounterTest, NewSecondStartsANewWindow) {
  DenialCounter counter(3);
  for (int i = 0; i < 4; ++i) {
    counter.Count(41, false, kArgs, kSecond);
  }
  counter.Count(41, false, kArgs, 2 * kSecond);
  EXPECT_FALSE(counter.over_rate());
  EXPECT_EQ(counter.in_window(), 1U);
}

TEST(DenialCounterTest, KillingIsRememberedForTheKind) {
  DenialCounter counter(100);
  counter.Count(101, true, kArgs, 0);
  EXPECT_EQ(counter.kind(0).killed, 1U);
}

}  // namespace
}  // namespace caisson::init
