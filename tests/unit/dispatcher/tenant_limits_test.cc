#include "dispatcher/tenancy/tenant_limits.h"

#include <gtest/gtest.h>

#include <string>

#include "common/clock.h"
#include "dispatcher/scheduling/host_memory.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kSecond = 1'000 * kNanosPerMilli;

policy::TenantPolicy WithRate(uint64_t per_second, uint64_t burst) {
  policy::TenantPolicy policy;
  policy.quotas[policy::QuotaId::kRequestsPerSecond] = {per_second, "t/quotas.requests_per_second"};
  if (burst != 0) {
    policy.quotas[policy::QuotaId::kRequestBurst] = {burst, "t/quotas.request_burst"};
  }
  return policy;
}

TEST(RequestRatesTest, ABurstAndThenTheRateOfEachTenant) {
  RequestRates rates;
  const policy::TenantPolicy policy = WithRate(10, 3);
  const TenantId one("one");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(rates.Take(one, policy, kSecond), std::nullopt);
  }
  EXPECT_EQ(rates.Take(one, policy, kSecond), kSecond / 10);
  EXPECT_EQ(rates.Take(TenantId("two"), policy, kSecond), std::nullopt);
  EXPECT_EQ(rates.Take(one, policy, kSecond + kSecond / 10), std::nullopt);
  EXPECT_NE(rates.Take(one, policy, kSecond + kSecond / 10), std::nullopt);
}

TEST(RequestRatesTest, WithoutABurstASecondsWorthAtOnce) {
  RequestRates rates;
  const policy::TenantPolicy policy = WithRate(5, 0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(rates.Take(TenantId("one"), policy, 0), std::nullopt);
  }
  EXPECT_NE(rates.Take(TenantId("one"), policy, 0), std::nullopt);
}

TEST(RequestRatesTest, AChangedPolicyHoldsAtOnceAndNoneIsNoBound) {
  RequestRates rates;
  const TenantId one("one");
  EXPECT_EQ(rates.Take(one, WithRate(1, 1), 0), std::nullopt);
  EXPECT_NE(rates.Take(one, WithRate(1, 1), 0), std::nullopt);
  EXPECT_EQ(rates.Take(one, WithRate(2, 2), 0), std::nullopt);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(rates.Take(one, policy::TenantPolicy(), 0), std::nullopt);
  }
}

TEST(OpenCallsTest, OneTenantAloneMayHaveThemAll) {
  OpenCalls calls(10);
  const TenantId one("one");
  for (int i = 0; i < 10; ++i) {
    ++calls.Of(one);
    EXPECT_TRUE(calls.MayStay(one)) << i;
  }
  ++calls.Of(one);
  EXPECT_FALSE(calls.MayStay(one));
}

TEST(OpenCallsTest, HoweverManyHaveManyThereIsRoomForWhoHasNone) {
  OpenCalls calls(100);
  static_cast<void>(calls.Of(TenantId("quiet")));
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    const TenantId flooding(name);
    // Each call that may not stay leaves at once.
    for (int i = 0; i < 1'000; ++i) {
      ++calls.Of(flooding);
      if (!calls.MayStay(flooding)) {
        --calls.Of(flooding);
      }
    }
    EXPECT_GT(calls.Of(flooding), 0U);
    const TenantId quiet("quiet");
    ++calls.Of(quiet);
    EXPECT_TRUE(calls.MayStay(quiet)) << name;
    --calls.Of(quiet);
  }
}

TEST(HostMemoryTest, MemAvailableIsReadFromTheKernelsText) {
  EXPECT_EQ(ParseMemAvailable("MemTotal:       100 kB\nMemAvailable:    7 kB\nBuffers: 1 kB\n"), 7U * 1'024);
  for (const char* text : {"", "MemTotal: 1 kB\n", "MemAvailable:", "MemAvailable:  ", "MemAvailable: x kB\n",
                           "MemAvailable: 7", "MemAvailable: 7 MB\n"}) {
    EXPECT_EQ(ParseMemAvailable(text), 0U) << text;
  }
  absl::StatusOr<HostMemory> memory = HostMemory::Open();
  ASSERT_TRUE(memory.ok());
  EXPECT_GT(memory->AvailableBytes(MonotonicNanos()), 1'024U * 1'024);
}

}  // namespace
}  // namespace caisson::dispatcher
