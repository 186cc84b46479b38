#include "orchestrator/capacity.h"

#include <gtest/gtest.h>

#include "common/status.h"

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kGiB = 1ULL << 30U;

TEST(CapacityTest, ByDefaultThreeQuartersOfTheMemoryAndARunForEach64MiB) {
  const Capacity capacity = ChooseCapacity(Config{}, 8 * kGiB);
  EXPECT_EQ(capacity.memory_budget_bytes, 6 * kGiB);
  EXPECT_EQ(capacity.max_sandboxes, 96U);
}

TEST(CapacityTest, ByDefaultAtLeastOneRunAndAtMost256) {
  EXPECT_EQ(ChooseCapacity(Config{}, kGiB / 64).max_sandboxes, 1U);
  EXPECT_EQ(ChooseCapacity(Config{}, 1024 * kGiB).max_sandboxes, 256U);
}

TEST(CapacityTest, ConfiguredValuesAreTakenAsTheyAre) {
  Config config;
  config.max_runs = 1'000;
  config.memory_budget_bytes = kGiB;
  const Capacity capacity = ChooseCapacity(config, 8 * kGiB);
  EXPECT_EQ(capacity.memory_budget_bytes, kGiB);
  EXPECT_EQ(capacity.max_sandboxes, 1'000U);
}

TEST(CapacityTest, TwoIdsForEachSandboxThatMayExistAreNeeded) {
  Config config;
  config.max_runs = 100;
  config.id_count = 528;
  EXPECT_TRUE(CheckIdCount(config, ChooseCapacity(config, kGiB)).ok());
  config.id_count = 527;
  const absl::Status status = CheckIdCount(config, ChooseCapacity(config, kGiB));
  EXPECT_EQ(Message(status), "id_count: 527 is too small, 528 ids are needed for 100 runs at once");
}

}  // namespace
}  // namespace caisson::orchestrator
