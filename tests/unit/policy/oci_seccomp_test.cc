#include "policy/oci_seccomp.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

#include "filter_support.h"
#include "policy/learning.h"
#include "policy/lint.h"
#include "policy_support.h"

namespace caisson::policy {
namespace {

constexpr char kDebiansList[] = "/usr/share/containers/seccomp.json";  // golang-github-containers-common

LoadedProfiles Shipped() {
  absl::StatusOr<LoadedProfiles> loaded = LoadProfilesAndGroups(CAISSON_PROFILES_DIR, FileTrust::kAnyOwner);
  EXPECT_TRUE(loaded.ok()) << Message(loaded.status());
  return loaded.ok() ? *std::move(loaded) : LoadedProfiles();
}

SyscallFilter LearningOf(const LoadedProfiles& shipped, const std::string& name) {
  const StepSection& run = shipped.profiles.at(name).run;
  return LearningFilter(run.filter, run.network, shipped.groups);
}

OciImport Imported(const std::string& entries) {
  const LoadedProfiles shipped = Shipped();
  const absl::StatusOr<std::vector<OciRule>> rules =
      ParseOciSeccomp(R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [)" + entries + "]}", "l.json");
  EXPECT_TRUE(rules.ok()) << Message(rules.status());
  return ImportOciSeccomp(*rules, LearningOf(shipped, "python"), "l.json");
}

bool Allows(const OciImport& import, const std::string& line) {
  return AllowedInWords(import.filter).contains(line);
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<std::vector<OciRule>> rules = ParseOciSeccomp(text, "l.json");
  return rules.ok() ? "" : Message(rules.status());
}

TEST(OciSeccompTest, WhatIsExportedIsImportedAsTheSamePermissions) {
  const LoadedProfiles shipped = Shipped();
  for (const auto& [name, profile] : shipped.profiles) {
    const absl::StatusOr<std::vector<OciRule>> rules =
        ParseOciSeccomp(WriteOciSeccomp(profile.run.filter), "l.json");
    ASSERT_TRUE(rules.ok()) << Message(rules.status());
    const OciImport import = ImportOciSeccomp(*rules, LearningOf(shipped, name), "l.json");
    EXPECT_EQ(AllowedInWords(import.filter), AllowedInWords(profile.run.filter)) << name;
    EXPECT_TRUE(import.left_out.empty()) << name << ": " << import.left_out.begin()->first;
    EXPECT_TRUE(import.narrowed.empty()) << name << ": " << import.narrowed.front();
  }
}

TEST(OciSeccompTest, DebiansListForContainersIsReadAndCutDown) {
  std::ifstream file(kDebiansList);
  ASSERT_TRUE(file.good()) << kDebiansList << " is missing: apt-get install golang-github-containers-common";
  std::stringstream text;
  text << file.rdbuf();
  const absl::StatusOr<std::vector<OciRule>> rules = ParseOciSeccomp(text.str(), kDebiansList);
  ASSERT_TRUE(rules.ok()) << Message(rules.status());
  const LoadedProfiles shipped = Shipped();
  Profile profile = shipped.profiles.at("native");
  const OciImport import = ImportOciSeccomp(*rules, LearningOf(shipped, "native"), "seccomp.json");
  profile.run.filter = import.filter;
  EXPECT_EQ(LintProfile(profile), std::vector<std::string>());
  EXPECT_TRUE(Allows(import, "futex"));
  EXPECT_TRUE(Allows(import, "sched_setaffinity"));
  EXPECT_TRUE(Allows(import, "openat when arg2 & 0x4000 == 0"));
  EXPECT_TRUE(Allows(import, "clone when arg0 & 0x7e020000 == 0"));
  for (const char* dangerous : {"ptrace", "memfd_create", "mlock", "shmget"}) {
    EXPECT_TRUE(import.left_out.contains(dangerous)) << dangerous;
  }
  // Only for who has CAP_SYS_ADMIN or the like, which nothing here has: not even left out.
  for (const char* with_capability : {"kexec_load", "finit_module"}) {
    EXPECT_FALSE(import.left_out.contains(with_capability)) << with_capability;
  }
  EXPECT_NE(std::find(import.narrowed.begin(), import.narrowed.end(), "openat"), import.narrowed.end());
}

TEST(OciSeccompTest, ConditionsOnTheContainerAreThoseOfOneWithoutCapabilities) {
  const auto entry = [](const std::string& more) {
    return Imported(R"({"names": ["futex"], "action": "SCMP_ACT_ALLOW")" + more + "}");
  };
  EXPECT_TRUE(Allows(entry(""), "futex"));
  EXPECT_TRUE(
      Allows(entry(R"(, "args": null, "includes": {}, "excludes": {"caps": ["CAP_SYS_ADMIN"]})"), "futex"));
  EXPECT_FALSE(Allows(entry(R"(, "includes": {"caps": ["CAP_SYS_ADMIN"]})"), "futex"));
  EXPECT_TRUE(Allows(entry(R"(, "includes": {"arches": ["arm64", "amd64"]})"), "futex"));
  EXPECT_FALSE(Allows(entry(R"(, "includes": {"arches": ["arm64"]})"), "futex"));
  EXPECT_FALSE(Allows(entry(R"(, "excludes": {"arches": ["amd64"]})"), "futex"));
  EXPECT_TRUE(Allows(entry(R"(, "includes": {"minKernel": "4.8"})"), "futex"));
  EXPECT_FALSE(Allows(entry(R"(, "includes": {"minKernel": "6.1"})"), "futex"));
}

TEST(OciSeccompTest, OnlyRulesThatTheListAllowsInEveryCaseAreTaken) {
  const std::string socket = "socket when arg0 == 0x1";
  const auto allows_sockets = [&](const std::string& entries) {
    const std::set<std::string> lines = AllowedInWords(Imported(entries).filter);
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.starts_with(socket); });
  };
  const std::string allow = R"({"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [)";
  EXPECT_TRUE(allows_sockets(allow + "]}"));
  EXPECT_TRUE(allows_sockets(allow + R"({"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]})"));
  EXPECT_FALSE(allows_sockets(allow + R"({"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]})"));
  EXPECT_TRUE(allows_sockets(allow + R"({"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]})"));
  EXPECT_FALSE(allows_sockets(allow + R"({"index": 0, "value": 1, "op": "SCMP_CMP_NE"}]})"));
  EXPECT_FALSE(allows_sockets(allow + R"({"index": 0, "value": 9, "op": "SCMP_CMP_LE"}]})"));
  EXPECT_FALSE(allows_sockets(allow + R"({"index": 3, "value": 1, "op": "SCMP_CMP_EQ"}]})"));
  const std::string refuse = R"(]}, {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [)";
  EXPECT_FALSE(allows_sockets(allow + refuse + "]}"));
  EXPECT_FALSE(allows_sockets(allow + refuse + R"({"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]})"));
  EXPECT_TRUE(allows_sockets(allow + refuse + R"({"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]})"));
}

TEST(OciSeccompTest, SeveralConditionsOnOneArgumentAreAlternatives) {
  const OciImport import = Imported(
      R"({"names": ["prctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 15, "op": "SCMP_CMP_EQ"},
          {"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]})");
  EXPECT_TRUE(Allows(import, "prctl when arg0 == 0xf"));
  EXPECT_TRUE(Allows(import, "prctl when arg0 == 0x10"));
  EXPECT_FALSE(Allows(import, "prctl when arg0 == 0x29"));
}

TEST(OciSeccompTest, WhatIsNoListOfPermissionsIsRefused) {
  EXPECT_NE(ErrorOf("{}").find("l.json:1: defaultAction: is missing"), std::string::npos);
  EXPECT_NE(ErrorOf(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []})")
                .find("allows what the list does not name"),
            std::string::npos);
  EXPECT_NE(ErrorOf(R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"action": "SCMP_ACT_ALLOW"}]})")
                .find("needs names and an action"),
            std::string::npos);
  const auto with_argument = [](const std::string& argument) {
    return ErrorOf(
        R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW",
      "args": [)" +
        argument + "]}]}");
  };
  EXPECT_NE(with_argument(R"({"index": 6, "value": 1, "op": "SCMP_CMP_EQ"})").find("must be from 0 to 5"),
            std::string::npos);
  EXPECT_NE(with_argument(R"({"index": 0, "value": 1, "op": "EQ"})").find("must be an operator"),
            std::string::npos);
  EXPECT_NE(ErrorOf("[1]").find("defaultAction"), std::string::npos);
}

}  // namespace
}  // namespace caisson::policy
