#include "orchestrator/cgroup_files.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "orchestrator/cgroup_places.h"

namespace caisson::orchestrator {
namespace {

TEST(CgroupNameTest, OnlyLowerCaseDigitsAndDashesAreOurs) {
  EXPECT_TRUE(IsCgroupName("caisson-1f"));
  EXPECT_TRUE(IsCgroupName(std::string(64, 'a')));
  for (const std::string name : {"", ".", "..", "a/b", "A", "a_b", "a.scope", " a", "a\n"}) {
    EXPECT_FALSE(IsCgroupName(name)) << name;
  }
  EXPECT_FALSE(IsCgroupName(std::string(65, 'a')));
  EXPECT_FALSE(IsCgroupName(std::string_view("a\0b", 3)));
}

TEST(ParseValueTest, NumbersAndBothWordsForUnlimited) {
  EXPECT_EQ(ParseValue("16777216\n").value(), 16'777'216U);
  EXPECT_EQ(ParseValue("0").value(), 0U);
  EXPECT_EQ(ParseValue("max\n").value(), kUnlimited);
  EXPECT_EQ(ParseValue("-1\n").value(), kUnlimited);
}

TEST(ParseValueTest, AnythingElseIsMalformed) {
  for (const std::string text :
       {"", "\n", "-2", "1 2", "1k", "0x10", "maximum", "99999999999999999999", " 1", "1\n\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseValue(text).status())) << text;
  }
}

TEST(FlatKeyedTest, FindsTheWholeKeyOnly) {
  const std::string text = "low 0\noom 3\noom_kill 7\noom_group_kill 1\n";
  EXPECT_EQ(FlatKeyed(text, "oom_kill"), 7U);
  EXPECT_EQ(FlatKeyed(text, "oom"), 3U);
  EXPECT_EQ(FlatKeyed(text, "low"), 0U);
  EXPECT_FALSE(FlatKeyed(text, "oo").has_value());
  EXPECT_FALSE(FlatKeyed(text, "max").has_value());
}

TEST(FlatKeyedTest, AMalformedValueIsAbsent) {
  EXPECT_FALSE(FlatKeyed("max \n", "max").has_value());
  EXPECT_FALSE(FlatKeyed("max 1x\n", "max").has_value());
  EXPECT_FALSE(FlatKeyed("max", "max").has_value());
  EXPECT_FALSE(FlatKeyed("", "max").has_value());
}

TEST(ParsePidsTest, OneALine) {
  EXPECT_EQ(ParsePids("12\n4194303\n").value(), (std::vector<pid_t>{12, 4194303}));
  EXPECT_TRUE(ParsePids("").value().empty());
}

TEST(ParsePidsTest, AProcessOutOfSightIsRefused) {
  for (const std::string text : {"0\n", "12\n0\n", "-3\n", "x\n", "4294967296\n", "1\n\n2\n"}) {
    EXPECT_FALSE(ParsePids(text).ok()) << text;
  }
}

TEST(ParseWordsTest, EmptyFileHasNone) {
  EXPECT_TRUE(ParseWords("\n").empty());
  EXPECT_EQ(ParseWords("cpu memory pids\n"), (std::vector<std::string>{"cpu", "memory", "pids"}));
}

TEST(CpuTest, QuotaAndPeriodBecomeThousandthsOfACpu) {
  EXPECT_EQ(CpuMillisFrom("100000\n", "100000\n").value(), 1'000U);
  EXPECT_EQ(CpuMillisFrom("-1\n", "100000\n").value(), kUnlimited);
  EXPECT_EQ(ParseCpuMax("250000 100000\n").value(), 2'500U);
  EXPECT_EQ(ParseCpuMax("max 100000\n").value(), kUnlimited);
  for (const std::string text : {"", "100000\n", "1 0\n", "1 max\n", "a b\n", "1 2 3\n"}) {
    EXPECT_FALSE(ParseCpuMax(text).ok()) << text;
  }
}

TEST(CpuTest, EveryShareIsWrittenAsTheKernelTakesItAndReadBackTheSame) {
  for (const uint64_t cpu_millis : {1U, 9U, 10U, 100U, 1'000U, 1'500U, 64'000U}) {
    const CpuBandwidth bandwidth = BandwidthFor(cpu_millis);
    EXPECT_GE(bandwidth.quota_us, 1'000U) << cpu_millis;
    EXPECT_LE(bandwidth.period_us, 1'000'000U) << cpu_millis;
    EXPECT_EQ(CpuMillisFrom(std::to_string(bandwidth.quota_us), std::to_string(bandwidth.period_us)).value(),
              cpu_millis);
  }
}

TEST(ProcCgroupTest, V1AndV2Lines) {
  const auto parsed = ParseProcCgroup("9:name=systemd:/\n4:cpu,cpuacct:/a:b\n0::/user.slice/x.scope\n");
  ASSERT_TRUE(parsed.ok());
  ASSERT_EQ(parsed->size(), 3U);
  EXPECT_EQ((*parsed)[1].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_EQ((*parsed)[1].path, "/a:b");
  EXPECT_FALSE((*parsed)[1].unified);
  EXPECT_TRUE((*parsed)[2].unified);
  EXPECT_EQ((*parsed)[2].path, "/user.slice/x.scope");
}

TEST(ProcCgroupTest, MalformedLinesAreRefused) {
  for (const std::string text : {"x\n", "0:/\n", "0::\n", "0::relative\n"}) {
    EXPECT_FALSE(ParseProcCgroup(text).ok()) << text;
  }
}

constexpr char kHybridMounts[] =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

TEST(CgroupPlacesTest, HybridHost) {
  const auto places = FindCgroupPlaces("8:pids:/\n4:memory:/app/1\n1:cpu,cpuacct:/\n0::/\n", kHybridMounts);
  ASSERT_TRUE(places.ok());
  EXPECT_EQ(places->memory, "/sys/fs/cgroup/memory/app/1");
  EXPECT_EQ(places->pids, "/sys/fs/cgroup/pids");
  EXPECT_EQ(places->cpu, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(places->unified, "/sys/fs/cgroup/unified");
}

TEST(CgroupPlacesTest, PureV2Host) {
  const auto places =
      FindCgroupPlaces("0::/system.slice/caisson.service\n",
                       "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");
  ASSERT_TRUE(places.ok());
  EXPECT_EQ(places->unified, "/sys/fs/cgroup/system.slice/caisson.service");
  EXPECT_TRUE(places->memory.empty());
}

TEST(CgroupPlacesTest, AMountOfAPartOfTheHierarchyIsTakenRelativeToThatPart) {
  const auto places =
      FindCgroupPlaces("0::/docker/abc/x\n", "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 c rw\n");
  ASSERT_TRUE(places.ok());
  EXPECT_EQ(places->unified, "/sys/fs/cgroup/x");
}

TEST(CgroupPlacesTest, AMountOfAnotherPartIsNoPlace) {
  for (const std::string root : {"/docker/abcd", "/docker/ab", "/other"}) {
    const auto places =
        FindCgroupPlaces("0::/docker/abc\n", "30 23 0:26 " + root + " /c rw - cgroup2 c rw\n");
    ASSERT_TRUE(places.ok());
    EXPECT_TRUE(places->unified.empty()) << root;
  }
}

TEST(CgroupPlacesTest, APathOutsideOfTheCgroupNamespaceIsNoPlace) {
  const auto places = FindCgroupPlaces("0::/../other\n", "30 23 0:26 / /c rw - cgroup2 c rw\n");
  ASSERT_TRUE(places.ok());
  EXPECT_TRUE(places->unified.empty());
}

}  // namespace
}  // namespace caisson::orchestrator
