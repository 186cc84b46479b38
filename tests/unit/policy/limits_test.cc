#include "policy/limits.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace caisson::policy {
namespace {

constexpr uint64_t kMiB = 1U << 20U;

TEST(LimitsTest, EveryLimitHasANameOfItsOwn) {
  std::set<std::string> names;
  for (size_t index = 0; index < kLimitCount; ++index) {
    const auto id = static_cast<LimitId>(index);
    const std::string name(LimitName(id));
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(FindLimit(name), id);
  }
  EXPECT_EQ(LimitNames().size(), kLimitCount);
  EXPECT_EQ(FindLimit("wall_time"), std::nullopt);
  EXPECT_EQ(FindLimit(""), std::nullopt);
}

struct Expected {
  const char* name;
  uint64_t default_value;
  uint64_t ceiling;
};

TEST(LimitsTest, StandardRunLimitsAreThePromisedOnes) {
  const LimitRange range = StandardRunLimits();
  for (const Expected& expected : std::vector<Expected>{{"wall_time_ms", 10'000, 300'000},
                                                        {"cpu_time_ms", 10'000, 300'000},
                                                        {"memory_bytes", 256 * kMiB, 2048 * kMiB},
                                                        {"pids", 64, 512},
                                                        {"output_bytes", kMiB, 64 * kMiB},
                                                        {"disk_bytes", 64 * kMiB, 1024 * kMiB},
                                                        {"inode_count", 4'096, 65'536},
                                                        {"open_files", 256, 4'096},
                                                        {"file_size_bytes", 64 * kMiB, 1024 * kMiB},
                                                        {"stack_bytes", 8 * kMiB, 1024 * kMiB}}) {
    EXPECT_EQ(range.defaults.Get(*FindLimit(expected.name)), expected.default_value) << expected.name;
    EXPECT_EQ(range.ceilings.Get(*FindLimit(expected.name)), expected.ceiling) << expected.name;
  }
  EXPECT_EQ(range.defaults.Get(LimitId::kCpuMillis), 1000U);
  EXPECT_GE(range.ceilings.Get(LimitId::kCpuMillis), 1000U);
}

TEST(LimitsTest, CompileStepsGetMoreTimeAndMemory) {
  const LimitRange range = StandardCompileLimits();
  EXPECT_EQ(range.defaults.Get(LimitId::kWallTimeMs), 30'000U);
  EXPECT_EQ(range.defaults.Get(LimitId::kCpuTimeMs), 30'000U);
  EXPECT_EQ(range.defaults.Get(LimitId::kMemoryBytes), 1024 * kMiB);
  EXPECT_EQ(range.ceilings, StandardRunLimits().ceilings);
}

TEST(LimitsTest, NoDefaultIsZeroOrAboveItsCeiling) {
  for (const LimitRange& range : {StandardRunLimits(), StandardCompileLimits()}) {
    for (size_t index = 0; index < kLimitCount; ++index) {
      const auto id = static_cast<LimitId>(index);
      EXPECT_GT(range.defaults.Get(id), 0U) << LimitName(id);
      EXPECT_LE(range.defaults.Get(id), range.ceilings.Get(id)) << LimitName(id);
      EXPECT_LE(range.ceilings.Get(id), AbsoluteMaximum(id)) << LimitName(id);
    }
  }
}

TEST(LimitsTest, SilenceMeansTheDefaults) {
  std::vector<LimitViolation> violations;
  EXPECT_EQ(ResolveLimits(StandardRunLimits(), {}, violations), StandardRunLimits().defaults);
  EXPECT_TRUE(violations.empty());
}

TEST(LimitsTest, ValuesUpToTheCeilingAreTaken) {
  std::vector<LimitViolation> violations;
  const Limits limits =
      ResolveLimits(StandardRunLimits(), {{LimitId::kPids, 1}, {LimitId::kOpenFiles, 4'096}}, violations);
  EXPECT_TRUE(violations.empty());
  EXPECT_EQ(limits.Get(LimitId::kPids), 1U);
  EXPECT_EQ(limits.Get(LimitId::kOpenFiles), 4'096U);
}

TEST(LimitsTest, ZeroAndTooMuchAreViolationsNeverClamped) {
  std::vector<LimitViolation> violations;
  const Limits limits =
      ResolveLimits(StandardRunLimits(), {{LimitId::kPids, 0}, {LimitId::kWallTimeMs, 300'001}}, violations);
  ASSERT_EQ(violations.size(), 2U);
  EXPECT_EQ(violations[0].limit, LimitId::kPids);
  EXPECT_EQ(violations[0].value, 0U);
  EXPECT_EQ(violations[0].ceiling, 512U);
  EXPECT_EQ(violations[1].limit, LimitId::kWallTimeMs);
  EXPECT_EQ(violations[1].value, 300'001U);
  EXPECT_EQ(violations[1].ceiling, 300'000U);
  EXPECT_EQ(limits, StandardRunLimits().defaults);
}

TEST(LimitsTest, MemoryThatAnEmptySandboxAlreadyNeedsIsAViolation) {
  std::vector<LimitViolation> violations;
  EXPECT_EQ(Minimum(LimitId::kMemoryBytes), 4 * kMiB);
  ResolveLimits(StandardRunLimits(), {{LimitId::kMemoryBytes, 4 * kMiB}}, violations);
  EXPECT_TRUE(violations.empty());
  ResolveLimits(StandardRunLimits(), {{LimitId::kMemoryBytes, 4 * kMiB - 1}}, violations);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].minimum, 4 * kMiB);
  for (size_t index = 0; index < kLimitCount; ++index) {
    const auto id = static_cast<LimitId>(index);
    EXPECT_EQ(Minimum(id), id == LimitId::kMemoryBytes ? 4 * kMiB : 1) << LimitName(id);
  }
}

}  // namespace
}  // namespace caisson::policy
