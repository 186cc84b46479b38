#include "dispatcher/tenancy/decision_log.h"

#include <gtest/gtest.h>

namespace caisson::dispatcher {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(DecisionLogTest, AFloodHasItsLinesAndTheRestIsCounted) {
  DecisionLog log;
  for (uint32_t i = 0; i < DecisionLog::kBurst; ++i) {
    EXPECT_EQ(log.Line("web", false, "refused", kSecond), "refused");
  }
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_EQ(log.Line("web", false, "refused", kSecond), std::nullopt);
  }
  EXPECT_EQ(log.Line("web", false, "refused", 2 * kSecond), "refused (1000 more since the last such line)");
  EXPECT_EQ(log.Line("web", false, "refused", 2 * kSecond), "refused");
}

TEST(DecisionLogTest, NoTenantsFloodHidesWhatIsSaidOfAnother) {
  DecisionLog log;
  for (int i = 0; i < 1'000; ++i) {
    static_cast<void>(log.Line("web", false, "refused", kSecond));
  }
  EXPECT_EQ(log.Line("ci", false, "refused", kSecond), "refused");
  EXPECT_EQ(log.Line("web", true, "allowed", kSecond), "allowed");
}

}  // namespace
}  // namespace caisson::dispatcher
