#include "policy/lint.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "policy/dangerous_calls.h"
#include "policy/syscall_rules.h"
#include "policy_support.h"

namespace caisson::policy {
namespace {

constexpr uint32_t kAll = 0xffffffffU;

Profile Python() { return ShippedProfiles().at("python"); }

std::vector<std::string> LintWith(const SyscallRule& rule) {
  Profile profile = Python();
  std::erase_if(profile.run.filter.rules,
                [&](const SyscallRule& old) { return old.syscall == rule.syscall; });
  profile.run.filter.rules.push_back(rule);
  return LintProfile(profile);
}

bool Has(const std::vector<std::string>& findings, const std::string& finding) {
  return std::find(findings.begin(), findings.end(), "python: run: " + finding) != findings.end();
}

TEST(LintTest, TablesNameCallsThatExist) {
  for (const NamedCall& call : StubCalls()) {
    EXPECT_TRUE(SyscallNumber(std::string(call.syscall)).has_value()) << call.syscall;
  }
  for (const NamedCall& call : DangerousCalls()) {
    EXPECT_TRUE(SyscallNumber(std::string(call.syscall)).has_value()) << call.syscall;
    EXPECT_FALSE(call.why.empty()) << call.syscall;
  }
}

TEST(LintTest, EveryCallOfTheStubIsRequired) {
  for (const NamedCall& call : StubCalls()) {
    Profile profile = Python();
    std::erase_if(profile.run.filter.rules,
                  [&](const SyscallRule& rule) { return rule.syscall == call.syscall; });
    const std::vector<LintFinding> faults = FindFilterFaults(profile);
    ASSERT_EQ(faults.size(), 1U) << call.syscall;
    EXPECT_EQ(faults[0].step, "run");
    EXPECT_TRUE(faults[0].reason.starts_with("does not allow " + std::string(call.syscall)))
        << faults[0].reason;
  }
}

TEST(LintTest, TheStubsCallsMustNotDependOnOtherArguments) {
  Profile profile = Python();
  std::erase_if(profile.run.filter.rules, [](const SyscallRule& rule) { return rule.syscall == "openat"; });
  profile.run.filter.rules.push_back({"openat", SyscallAction::kAllow, 0, {{2, kAll, 0}}, "read only"});
  ASSERT_EQ(FindFilterFaults(profile).size(), 1U);
}

TEST(LintTest, CompileStepsAreHeldToTheSame) {
  Profile profile = Python();
  profile.compile = profile.run;
  EXPECT_TRUE(FindFilterFaults(profile).empty());
  profile.compile->filter.rules.clear();
  const std::vector<LintFinding> faults = FindFilterFaults(profile);
  EXPECT_EQ(faults.size(), StubCalls().size());
  EXPECT_EQ(faults.front().step, "compile");
}

TEST(LintTest, ContradictionsAreFaults) {
  Profile profile = Python();
  profile.run.filter.rules.push_back({"ptrace", SyscallAction::kAllow, 0, {}, "w"});
  const std::vector<LintFinding> faults = FindFilterFaults(profile);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].reason, "ptrace: contradicts another rule of ptrace with the same conditions");
}

TEST(LintTest, EveryDangerousCallIsFound) {
  for (const NamedCall& call : DangerousCalls()) {
    std::vector<ArgumentCondition> conditions;
    for (const FixedArgument& fixed : {call.fixed, call.other}) {
      if (fixed.index >= 0) {
        conditions.push_back({static_cast<uint32_t>(fixed.index), kAll, fixed.value});
      }
    }
    const std::vector<std::string> findings =
        LintWith({std::string(call.syscall), SyscallAction::kAllow, 0, conditions, "w"});
    const bool found = std::any_of(findings.begin(), findings.end(), [&](const std::string& finding) {
      return finding.starts_with("python: run: allows " + std::string(call.syscall)) &&
             finding.ends_with(call.why);
    });
    EXPECT_TRUE(found) << call.syscall;
  }
}

TEST(LintTest, AnUnconditionalAllowIsDangerousToo) {
  EXPECT_TRUE(Has(
      LintWith({"fcntl", SyscallAction::kAllow, 0, {}, "w"}),
      "allows fcntl with arg1 == 0x407: a grown pipe takes from the quota that all pipes of the uid share"));
}

TEST(LintTest, SocketsNeedAFamilyRule) {
  EXPECT_TRUE(Has(LintWith({"socket", SyscallAction::kAllow, 0, {}, "w"}),
                  "socket is allowed without a rule on its family"));
  EXPECT_TRUE(Has(LintWith({"socket", SyscallAction::kAllow, 0, {{1, kAll, 1}}, "w"}),
                  "socket is allowed without a rule on its family"));
  EXPECT_TRUE(Has(LintWith({"socketpair", SyscallAction::kAllow, 0, {}, "w"}),
                  "socketpair is allowed without a rule on its family"));
  EXPECT_TRUE(Has(LintWith({"socket", SyscallAction::kAllow, 0, {{0, kAll, 16}}, "w"}),
                  "socket allows the family 16"));
  EXPECT_TRUE(
      Has(LintWith({"socket", SyscallAction::kAllow, 0, {{0, kAll, 2}}, "w"}), "socket allows the family 2"));
}

TEST(LintTest, LoopbackNetworksMayUseInternetSockets) {
  Profile profile = Python();
  profile.run.network = NetworkMode::kLoopback;
  profile.run.filter.rules.push_back({"socket", SyscallAction::kAllow, 0, {{0, kAll, 2}, {1, 0xf, 1}}, "w"});
  EXPECT_TRUE(LintProfile(profile).empty());
}

TEST(LintTest, InternetSocketsNeedATypeRule) {
  Profile profile = Python();
  profile.run.network = NetworkMode::kLoopback;
  profile.run.filter.rules.push_back({"socket", SyscallAction::kAllow, 0, {{0, kAll, 10}}, "w"});
  const std::vector<std::string> findings = LintProfile(profile);
  EXPECT_TRUE(Has(findings, "socket allows the type 3 of the family 10"));
  EXPECT_TRUE(Has(findings, "socket allows the type 10 of the family 10"));
  EXPECT_FALSE(Has(findings, "socket allows the type 1 of the family 10"));
  EXPECT_FALSE(Has(findings, "socket allows the type 3 of the family 2"));
}

TEST(LintTest, OptionsOfOtherLevelsAreOtherOptions) {
  Profile profile = Python();
  // IPV6_V6ONLY has the number of SO_ATTACH_FILTER.
  profile.run.filter.rules.push_back(
      {"setsockopt", SyscallAction::kAllow, 0, {{1, kAll, 41}, {2, kAll, 26}}, "w"});
  EXPECT_TRUE(LintProfile(profile).empty());
  profile.run.filter.rules.back().conditions.erase(profile.run.filter.rules.back().conditions.begin());
  EXPECT_TRUE(
      Has(LintProfile(profile), "allows setsockopt with arg2 == 0x1a: loads a program into the kernel"));
}

TEST(LintTest, ReasonsMustBeThere) {
  EXPECT_TRUE(Has(LintWith({"getcpu", SyscallAction::kAllow, 0, {}, ""}), "'allow getcpu' has no why"));
  Profile profile = Python();
  profile.run.binds[0].why.clear();
  EXPECT_TRUE(Has(LintProfile(profile), "the bind of /usr has no why"));
}

TEST(LintTest, RulesStandOnce) {
  Profile profile = Python();
  profile.run.filter.rules.push_back(profile.run.filter.rules.front());
  const std::string name = profile.run.filter.rules.front().syscall;
  EXPECT_TRUE(Has(LintProfile(profile), "'allow " + name + "' stands twice"));
}

TEST(LintTest, AbsentSourcesAreFoundUnlessOptional) {
  Profile profile = Python();
  profile.run.binds = {{"/nonexistent", "/nonexistent", false, false, "w"}};
  EXPECT_TRUE(Has(LintProfile(profile), "binds /nonexistent: No such file or directory"));
  profile.run.binds[0].optional = true;
  EXPECT_TRUE(LintProfile(profile).empty());
}

TEST(LintTest, SourcesThatOthersCanWriteAreFound) {
  const TemporaryDirectory directory;
  ASSERT_EQ(chmod(directory.path().c_str(), 0777), 0);
  Profile profile = Python();
  profile.run.binds = {{directory.path(), "/x", false, false, "w"}};
  EXPECT_TRUE(Has(LintProfile(profile), "binds " + directory.path() + ", which others than root can write"));
}

TEST(LintTest, SensitivePathsAreFound) {
  Profile profile = Python();
  profile.run.binds = {{"/proc/sys", "/x", false, false, "w"}, {"/etc", "/etc", false, false, "w"}};
  EXPECT_TRUE(Has(LintProfile(profile), "binds /proc/sys, which says too much about the host"));
  EXPECT_TRUE(Has(LintProfile(profile), "binds /etc whole"));
}

TEST(LintTest, DefaultsStayBelowCeilings) {
  Profile profile = Python();
  profile.run.limits.defaults.Set(LimitId::kPids, 513);
  profile.run.limits.defaults.Set(LimitId::kOpenFiles, 0);
  EXPECT_TRUE(Has(LintProfile(profile), "the default of pids is above its ceiling"));
  EXPECT_TRUE(Has(LintProfile(profile), "the default of open_files is 0"));
}

}  // namespace
}  // namespace caisson::policy
