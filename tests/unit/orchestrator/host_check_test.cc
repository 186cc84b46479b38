#include "orchestrator/host_check.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/status.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/host_probes.h"
#include "privileged_support.h"

namespace caisson::orchestrator {
namespace {

const std::vector<CheckResult>& Sample() {
  static const std::vector<CheckResult> kSample{
      {"root", CheckState::kOk, "running as root", ""},
      {"core_pattern", CheckState::kWarn, "piped", "sysctl \"x\""},
      {"landlock", CheckState::kFail, "none", "boot another kernel"}};
  return kSample;
}

TEST(HostCheckFormatTest, TextNamesStateDetailAndMend) {
  EXPECT_EQ(FormatCheckText(Sample()),
            "ok    root          running as root\n"
            "warn  core_pattern  piped\n"
            "                    mend: sysctl \"x\"\n"
            "fail  landlock      none\n"
            "                    mend: boot another kernel\n"
            "3 checks, 1 failed, 1 warning\n");
}

TEST(HostCheckFormatTest, JsonHoldsTheSame) {
  const auto document = nlohmann::json::parse(FormatCheckJson(Sample()));
  EXPECT_EQ(document["schema_version"], 1);
  EXPECT_EQ(document["ok"], false);
  ASSERT_EQ(document["checks"].size(), 3U);
  EXPECT_EQ(document["checks"][1]["state"], "warn");
  EXPECT_EQ(document["checks"][2]["name"], "landlock");
  EXPECT_EQ(document["checks"][2]["mend"], "boot another kernel");
}

TEST(HostCheckFormatTest, InvalidUtf8InADetailIsReplaced) {
  const std::string text = FormatCheckJson({{"user", CheckState::kOk, "\xff\xfe", ""}});
  EXPECT_FALSE(nlohmann::json::parse(text)["checks"][0]["detail"].get<std::string>().empty());
}

TEST(HostCheckTest, AWarningMayStartAndAFailureMayNot) {
  EXPECT_FALSE(MayStart(Sample()));
  EXPECT_TRUE(MayStart({Sample()[0], Sample()[1]}));
}

TEST(IdOverlapTest, UsersGroupsAndSubordinateRanges) {
  const std::string passwd = "root:x:0:0:root:/root:/bin/sh\nbad line\nann:x:1000:1000::/home/ann:/bin/sh\n";
  EXPECT_EQ(FindIdOverlap(passwd, "", 1'000, 10), "ann has id 1000");
  EXPECT_EQ(FindIdOverlap(passwd, "", 1'001, 10), "");
  EXPECT_EQ(FindIdOverlap(passwd, "", 990, 10), "");
  EXPECT_EQ(FindIdOverlap("", "ann:100000:65536\n", 165'535, 10), "ann was given ids 100000+65536");
  EXPECT_EQ(FindIdOverlap("", "ann:100000:65536\n", 165'536, 10), "");
  EXPECT_EQ(FindIdOverlap("", "ann:100000:65536\n", 99'990, 10), "");
  EXPECT_EQ(FindIdOverlap("", "ann:100000:65536\n", 99'991, 10), "ann was given ids 100000+65536");
  EXPECT_EQ(FindIdOverlap("", "x:y:z\nann:100000\nann:5:0\n", 1, 4'000'000'000), "");
}

TEST(UserNamespaceMendTest, PointsAtTheAppArmorProfileOnlyWhereTheHostRestricts) {
  EXPECT_EQ(UserNamespaceMend("", "raise it"), "raise it");
  EXPECT_EQ(UserNamespaceMend("0\n", "raise it"), "raise it");
  const std::string mend = UserNamespaceMend("1\n", "raise it");
  EXPECT_NE(mend.find("share/caisson/apparmor/caissond"), std::string::npos);
  EXPECT_NE(mend.find("; or: raise it"), std::string::npos);
}

TEST(InChildTest, BringsTheStatusBack) {
  EXPECT_TRUE(InChild([] { return absl::OkStatus(); }).ok());
  EXPECT_EQ(Message(InChild([] { return absl::InternalError("no luck"); })), "no luck");
  EXPECT_NE(Message(InChild([]() -> absl::Status { _exit(7); })).find("status 7"), std::string::npos);
  EXPECT_NE(Message(InChild([]() -> absl::Status {
              raise(SIGKILL);
              return absl::OkStatus();
            })).find("signal 9"),
            std::string::npos);
}

class HostCheckRealTest : public testing::Test {
 protected:
  void SetUp() override {
    CAISSON_NEEDS_ROOT();
    state_dir_ = "/run/caisson-check-test-" + std::to_string(getpid());
    config_.user = "nobody";
    config_.state_dir = state_dir_;
  }

  std::map<std::string, CheckResult> Check() {
    std::map<std::string, CheckResult> results;
    for (CheckResult& result : CheckHost(config_)) {
      results.emplace(result.name, std::move(result));
    }
    return results;
  }

  Config config_;
  std::string state_dir_;
};

int OpenDescriptors() {
  DIR* directory = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(directory) != nullptr) {
    ++count;
  }
  closedir(directory);
  return count;
}

TEST_F(HostCheckRealTest, EveryControlOfThisHostWorks) {
  const auto results = Check();
  for (const auto& [name, result] : results) {
    EXPECT_NE(result.state, CheckState::kFail) << name << ": " << result.detail << " mend: " << result.mend;
    EXPECT_FALSE(result.detail.empty()) << name;
  }
  for (const char* name : {"root",
                           "namespace_user",
                           "namespace_pid",
                           "namespace_mount",
                           "namespace_network",
                           "namespace_ipc",
                           "namespace_uts",
                           "namespace_cgroup",
                           "user_namespace_ids",
                           "user_namespace_ban",
                           "loopback",
                           "mount_tmpfs",
                           "mount_pivot",
                           "mount_proc",
                           "pidfd",
                           "memfd_seal",
                           "memfd_exec",
                           "close_range",
                           "seccomp_notify",
                           "seccomp_wait_killable",
                           "landlock",
                           "cgroup",
                           "cgroup_limits",
                           "cgroup_sockets",
                           "cgroup_kill",
                           "cgroup_remove",
                           "swap",
                           "user",
                           "id_range",
                           "state_dir",
                           "sandbox",
                           "core_pattern",
                           "aslr",
                           "cpu_vulnerabilities",
                           "kernel_age"}) {
    EXPECT_EQ(results.count(name), 1U) << name;
  }
}

TEST_F(HostCheckRealTest, LeavesNothingBehind) {
  const std::string mounts = ReadFile("/proc/self/mountinfo").value();
  const std::string groups = ReadFile("/proc/self/cgroup").value();
  const int descriptors = OpenDescriptors();
  Check();
  EXPECT_EQ(ReadFile("/proc/self/mountinfo").value(), mounts);
  EXPECT_EQ(ReadFile("/proc/self/cgroup").value(), groups);
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "no child is left";
  EXPECT_NE(access(state_dir_.c_str(), F_OK), 0);
}

TEST_F(HostCheckRealTest, AMissingOrPrivilegedUserFailsWithAMend) {
  config_.user = "no-such-user-here";
  EXPECT_EQ(Check().at("user").state, CheckState::kFail);
  config_.user = "root";
  const auto results = Check();
  EXPECT_EQ(results.at("user").state, CheckState::kFail);
  EXPECT_NE(results.at("user").mend.find("useradd"), std::string::npos);
}

TEST_F(HostCheckRealTest, AnIdRangeOfSomebodyElseFails) {
  config_.id_first = 65'000;
  config_.id_count = 1'000;
  EXPECT_EQ(Check().at("id_range").state, CheckState::kFail) << "nobody is 65534";
  config_.id_first = 4'294'967'000;
  const auto wrapped = Check();
  EXPECT_EQ(wrapped.at("id_range").state, CheckState::kFail) << "wraps around";
  EXPECT_EQ(wrapped.at("sandbox").state, CheckState::kFail) << "never with ids of the host's";
}

TEST_F(HostCheckRealTest, AStateDirectoryThatOthersCanWriteFails) {
  ASSERT_EQ(mkdir(state_dir_.c_str(), 0700), 0);
  ASSERT_EQ(chmod(state_dir_.c_str(), 0777), 0);
  EXPECT_EQ(Check().at("state_dir").state, CheckState::kFail);
  ASSERT_EQ(chmod(state_dir_.c_str(), 0700), 0);
  EXPECT_EQ(Check().at("state_dir").state, CheckState::kOk);
  ASSERT_EQ(chown(state_dir_.c_str(), 65'534, 65'534), 0);
  EXPECT_EQ(Check().at("state_dir").state, CheckState::kFail);
  ASSERT_EQ(rmdir(state_dir_.c_str()), 0);
  config_.state_dir = "relative";
  EXPECT_EQ(Check().at("state_dir").state, CheckState::kFail);
}

}  // namespace
}  // namespace caisson::orchestrator
