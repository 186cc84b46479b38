#include "orchestrator/host_hardening.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::orchestrator {
namespace {

const HostSetting& Setting(const std::string& name) {
  for (const HostSetting& setting : HostSettings()) {
    if (name == setting.name) {
      return setting;
    }
  }
  ADD_FAILURE() << name;
  return HostSettings().front();
}

// As kernels of Debian 12 and 13 and of Ubuntu 24.04 write them.
struct Sample {
  const char* name;
  std::vector<const char*> strong;
  std::vector<const char*> weak;
};

const std::vector<Sample>& Samples() {
  static const std::vector<Sample> kSamples = {
      {"core_pattern",
       {"core\n", "\n", "/var/crash/core.%p\n"},
       {"|/usr/lib/systemd/systemd-coredump %P\n", "|/x\n"}},
      {"aslr", {"2\n"}, {"1\n", "0\n", "\n", "two\n"}},
      {"kptr_restrict", {"1\n", "2\n"}, {"0\n"}},
      {"dmesg_restrict", {"1\n"}, {"0\n"}},
      {"unprivileged_bpf", {"1\n", "2\n"}, {"0\n"}},
      {"io_uring", {"1\n", "2\n"}, {"0\n"}},
      {"perf_events", {"2\n", "3\n", "4\n"}, {"1\n", "0\n", "-1\n"}},
      {"protected_symlinks", {"1\n"}, {"0\n"}},
      {"protected_hardlinks", {"1\n"}, {"0\n"}},
      {"protected_fifos", {"1\n", "2\n"}, {"0\n"}},
      {"protected_regular", {"1\n", "2\n"}, {"0\n"}},
      {"smt", {"0\n"}, {"1\n", "\n"}},
      {"ksm", {"0\n", "2\n"}, {"1\n", "\n"}},
      {"huge_pages", {"always [madvise] never\n", "always madvise [never]\n"}, {"[always] madvise never\n"}},
  };
  return kSamples;
}

TEST(HostHardeningTest, EachSettingIsJudgedByItsText) {
  EXPECT_EQ(Samples().size(), HostSettings().size());
  for (const Sample& sample : Samples()) {
    const HostSetting& setting = Setting(sample.name);
    for (const char* text : sample.strong) {
      const CheckResult result = JudgeSetting(setting, text);
      EXPECT_EQ(result.state, CheckState::kOk) << sample.name << " " << text;
      EXPECT_EQ(result.detail, setting.strong);
      EXPECT_EQ(result.mend, "");
    }
    for (const char* text : sample.weak) {
      const CheckResult result = JudgeSetting(setting, text);
      EXPECT_EQ(result.state, CheckState::kWarn) << sample.name << " " << text;
      EXPECT_EQ(result.detail, setting.weak);
      EXPECT_EQ(result.mend, setting.mend);
    }
    EXPECT_EQ(JudgeSetting(setting, std::nullopt).state, CheckState::kOk) << sample.name;
  }
}

// What is typed changes the very file that was judged.
TEST(HostHardeningTest, EachMendIsACommandForItsFile) {
  for (const HostSetting& setting : HostSettings()) {
    const std::string mend = setting.mend;
    const std::string path = setting.path;
    constexpr std::string_view kSysctl = "sysctl -w ";
    if (mend.starts_with(kSysctl)) {
      const size_t equals = mend.find('=');
      ASSERT_NE(equals, std::string::npos) << mend;
      std::string file = "/proc/sys/" + mend.substr(kSysctl.size(), equals - kSysctl.size());
      std::replace(file.begin(), file.end(), '.', '/');
      EXPECT_EQ(file, path);
      EXPECT_TRUE(setting.is_strong(mend.substr(equals + 1) + "\n")) << mend;
    } else {
      ASSERT_TRUE(mend.starts_with("echo ")) << mend;
      const std::string directory = path.substr(0, path.rfind('/'));
      EXPECT_NE(mend.find(" > " + directory), std::string::npos) << mend;
    }
  }
}

TEST(HostHardeningTest, VulnerabilitiesThatAreOpenAreListed) {
  const CheckResult closed =
      JudgeVulnerabilities({{"gather_data_sampling", "Not affected\n"},
                            {"mds", "Mitigation: Clear CPU buffers; SMT Host state unknown\n"},
                            {"meltdown", "Mitigation: PTI\n"}});
  EXPECT_EQ(closed.state, CheckState::kOk);
  EXPECT_NE(closed.detail.find('3'), std::string::npos);
  EXPECT_EQ(JudgeVulnerabilities({}).state, CheckState::kOk);
  for (const char* text :
       {"Vulnerable\n", "Vulnerable: Clear CPU buffers attempted, no microcode; SMT Host state unknown\n",
        "Mitigation: Clear CPU buffers; SMT vulnerable\n", "KVM: Vulnerable\n",
        "Unknown: No mitigations\n"}) {
    const CheckResult open = JudgeVulnerabilities({{"meltdown", "Not affected\n"}, {"mds", text}});
    EXPECT_EQ(open.state, CheckState::kWarn) << text;
    EXPECT_EQ(open.detail.find("meltdown"), std::string::npos) << open.detail;
    EXPECT_NE(open.detail.find("mds: "), std::string::npos) << open.detail;
    EXPECT_NE(open.mend, "");
  }
}

TEST(HostHardeningTest, TheDateOfAKernelIsReadAsDistributionsWriteIt) {
  constexpr int64_t kTwelfthOfNovember2025 = 20'404;
  EXPECT_EQ(KernelBuildDay("#1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-12)"), kTwelfthOfNovember2025);
  EXPECT_EQ(KernelBuildDay("#1 SMP PREEMPT_DYNAMIC Wed Nov 12 10:22:33 UTC 2025"), kTwelfthOfNovember2025);
  EXPECT_EQ(KernelBuildDay("#63-Ubuntu SMP PREEMPT_DYNAMIC Wed Nov 12 19:04:15 UTC 2025"),
            kTwelfthOfNovember2025);
  EXPECT_EQ(KernelBuildDay("#1 SMP Thu Jan  1 00:00:00 UTC 1970"), std::nullopt) << "no kernel is that old";
  for (const char* text :
       {"", "#1 SMP", "#1 SMP (2025-13-01)", "#1 SMP (2025-1-001)", "#1 SMP Wed Nov 31 10:22:33 UTC 2025",
        "#29~22.04.1-Ubuntu SMP PREEMPT_DYNAMIC Thu Jun 26 14:16:59 UTC 2", "#1 Nov",
        "#1 SMP Wed Nov xx a b c"}) {
    EXPECT_EQ(KernelBuildDay(text), std::nullopt) << text;
  }
}

TEST(HostHardeningTest, AnOldKernelIsWeak) {
  constexpr char kVersion[] = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-12)";
  constexpr int64_t kBuilt = 20'404;
  EXPECT_EQ(JudgeKernelAge(kVersion, kBuilt).state, CheckState::kOk);
  EXPECT_EQ(JudgeKernelAge(kVersion, kBuilt + 180).state, CheckState::kOk);
  EXPECT_EQ(JudgeKernelAge(kVersion, kBuilt + 181).state, CheckState::kWarn);
  EXPECT_NE(JudgeKernelAge(kVersion, kBuilt + 181).detail.find("181 days"), std::string::npos);
  EXPECT_EQ(JudgeKernelAge(kVersion, kBuilt - 1).state, CheckState::kOk) << "a clock that is behind";
  EXPECT_EQ(JudgeKernelAge("#1 SMP", kBuilt).state, CheckState::kWarn) << "nobody knows";
}

TEST(HostHardeningTest, NothingOnThisHostKeepsCaissondFromStarting) {
  const std::vector<CheckResult> results = ProbeHardening();
  EXPECT_EQ(results.size(), HostSettings().size() + 2);
  EXPECT_TRUE(MayStart(results));
  for (const CheckResult& result : results) {
    EXPECT_FALSE(result.detail.empty()) << result.name;
    EXPECT_EQ(result.mend.empty(), result.state == CheckState::kOk) << result.name;
  }
}

}  // namespace
}  // namespace caisson::orchestrator
