#include "policy/syscall_rules.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace caisson::policy {
namespace {

using Conditions = std::vector<ArgumentCondition>;
constexpr uint32_t kAll = 0xffffffffU;
constexpr char kCountIsForLocks[] =
    "count is for commands of fcntl that take a record lock: arg1 one of 6, 7, 37, 38";

SyscallRule Rule(const std::string& name, SyscallAction action, int errno_value = 0,
                 Conditions conditions = {}) {
  return {name, action, errno_value, std::move(conditions), "a test"};
}

std::string FirstProblem(const std::vector<SyscallRule>& rules) {
  const std::vector<RuleProblem> problems = FindRuleProblems({rules});
  return problems.empty() ? std::string() : problems.front().reason;
}

TEST(SyscallRulesTest, NamesOfOtherArchitecturesAreUnknown) {
  EXPECT_EQ(SyscallNumber("openat"), 257);
  EXPECT_EQ(SyscallNumber("read"), 0);
  EXPECT_EQ(SyscallNumber("no_such_call"), std::nullopt);
  EXPECT_EQ(SyscallNumber("recv"), std::nullopt);    // exists elsewhere
  EXPECT_EQ(SyscallNumber("umount"), std::nullopt);  // i386
}

struct ProblemCase {
  const char* what;
  std::vector<SyscallRule> rules;
  const char* reason;  // "" = none
};

TEST(SyscallRulesTest, ContradictionsAreFound) {
  using enum SyscallAction;
  const std::vector<ProblemCase> cases = {
      {"one rule", {Rule("read", kAllow)}, ""},
      {"identical twice", {Rule("read", kAllow), Rule("read", kAllow)}, ""},
      {"identical conditions in another order",
       {Rule("ioctl", kAllow, 0, {{0, kAll, 1}, {1, kAll, 2}}),
        Rule("ioctl", kAllow, 0, {{1, kAll, 2}, {0, kAll, 1}})},
       ""},
      {"allow and kill",
       {Rule("read", kAllow), Rule("read", kKill)},
       "contradicts another rule of read with the same conditions"},
      {"two errnos",
       {Rule("read", kErrno, EPERM), Rule("read", kErrno, ENOSYS)},
       "contradicts another rule of read with the same conditions"},
      {"deny and kill for the rest",
       {Rule("read", kDeny, EPERM), Rule("read", kKill)},
       "contradicts another rule of read with the same conditions"},
      {"conditions beside allow",
       {Rule("socket", kAllow), Rule("socket", kAllow, 0, {{0, kAll, 1}})},
       "a rule without conditions decides every call of socket, so conditions mean nothing"},
      {"conditions beside errno",
       {Rule("socket", kAllow, 0, {{0, kAll, 1}}), Rule("socket", kErrno, ENOSYS)},
       "a rule without conditions decides every call of socket, so conditions mean nothing"},
      {"deny for the rest",
       {Rule("socket", kAllow, 0, {{0, kAll, 1}}), Rule("socket", kDeny, EAFNOSUPPORT)},
       ""},
      {"kill for the rest", {Rule("socket", kKill), Rule("socket", kAllow, 0, {{0, kAll, 1}})}, ""},
      {"two values",
       {Rule("socket", kAllow, 0, {{0, kAll, 1}}), Rule("socket", kAllow, 0, {{0, kAll, 2}})},
       ""},
      {"disjoint, different outcomes",
       {Rule("socket", kAllow, 0, {{0, kAll, 1}}), Rule("socket", kErrno, EINVAL, {{0, kAll, 2}})},
       ""},
      {"overlapping by different arguments",
       {Rule("socket", kAllow, 0, {{0, kAll, 1}}), Rule("socket", kErrno, EINVAL, {{1, kAll, 2}})},
       "another rule of socket matches some of the same calls with another outcome"},
      {"overlapping masks",
       {Rule("clone", kAllow, 0, {{0, 0xf0, 0}}), Rule("clone", kErrno, EINVAL, {{0, 0x0f, 1}})},
       "another rule of clone matches some of the same calls with another outcome"},
      {"masks that exclude each other",
       {Rule("clone", kAllow, 0, {{0, 0xf0, 0}}), Rule("clone", kErrno, EINVAL, {{0, 0x10, 0x10}})},
       ""},
      {"unknown call", {Rule("reed", kAllow)}, "x86-64 has no syscall 'reed'"},
      {"argument 6", {Rule("read", kAllow, 0, {{6, kAll, 1}})}, "arguments are numbered 0 to 5"},
      {"argument twice",
       {Rule("read", kAllow, 0, {{1, 1, 1}, {1, 2, 2}})},
       "argument 1 has two conditions in one rule"},
      {"impossible value",
       {Rule("read", kAllow, 0, {{1, 0x0f, 0x10}})},
       "argument 1 can never have this value under this mask"},
      {"empty mask", {Rule("read", kAllow, 0, {{1, 0, 0}})}, "argument 1 has an empty mask"},
      {"deny with conditions",
       {Rule("read", kDeny, EPERM, {{0, kAll, 1}})},
       "deny takes no argument conditions: it is for every call that no other rule of read names"},
      {"kill with conditions",
       {Rule("read", kKill, 0, {{0, kAll, 1}})},
       "kill takes no argument conditions: it is for every call that no other rule of read names"},
      {"errno without one", {Rule("read", kErrno)}, "the action errno needs an errno"},
      {"success with conditions", {Rule("msync", kSucceed, 0, {{2, 4, 4}})}, ""},
      {"success and allow",
       {Rule("fsync", kSucceed), Rule("fsync", kAllow)},
       "contradicts another rule of fsync with the same conditions"},
      {"record locks counted",
       {Rule("fcntl", kCount, 0, {{1, kAll, 6}}), Rule("fcntl", kCount, 0, {{1, kAll, 38}}),
        Rule("fcntl", kAllow, 0, {{1, kAll, 5}}), Rule("fcntl", kDeny, EINVAL)},
       ""},
      {"counting anything else", {Rule("read", kCount)}, kCountIsForLocks},
      {"counting without a command", {Rule("fcntl", kCount)}, kCountIsForLocks},
      {"counting another command", {Rule("fcntl", kCount, 0, {{1, kAll, 4}})}, kCountIsForLocks},
      {"counting under a mask", {Rule("fcntl", kCount, 0, {{1, 0x7, 6}})}, kCountIsForLocks},
      {"counting with two conditions",
       {Rule("fcntl", kCount, 0, {{1, kAll, 6}, {2, kAll, 0}})},
       kCountIsForLocks},
      {"errno that means kill", {Rule("read", kDeny, 255)}, "errno 255 is out of range"},
      {"negative errno", {Rule("read", kDeny, -1)}, "errno -1 is out of range"},
  };
  for (const ProblemCase& test : cases) {
    EXPECT_EQ(FirstProblem(test.rules), test.reason) << test.what;
  }
}

TEST(SyscallRulesTest, ProblemsPointAtBothRules) {
  const std::vector<RuleProblem> problems =
      FindRuleProblems({{Rule("write", SyscallAction::kAllow), Rule("read", SyscallAction::kAllow),
                         Rule("read", SyscallAction::kKill)}});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].rule, 2U);
  EXPECT_EQ(problems[0].other, 1U);
}

TEST(SyscallRulesTest, DecisionsFollowConditionsThenTheRest) {
  const SyscallFilter filter{{Rule("socket", SyscallAction::kDeny, EAFNOSUPPORT),
                              Rule("socket", SyscallAction::kAllow, 0, {{0, kAll, 1}}),
                              Rule("ptrace", SyscallAction::kKill),
                              Rule("clone3", SyscallAction::kErrno, ENOSYS)}};
  EXPECT_EQ(Decide(filter, "socket", {1}).action, SyscallAction::kAllow);
  EXPECT_EQ(Decide(filter, "socket", {2}).action, SyscallAction::kDeny);
  EXPECT_EQ(Decide(filter, "socket", {2}).errno_value, EAFNOSUPPORT);
  EXPECT_EQ(Decide(filter, "ptrace", {}).action, SyscallAction::kKill);
  EXPECT_EQ(Decide(filter, "clone3", {}).errno_value, ENOSYS);
  const Decision unnamed = Decide(filter, "mount", {});
  EXPECT_EQ(unnamed.action, SyscallAction::kDeny);
  EXPECT_EQ(unnamed.errno_value, EPERM);
  EXPECT_EQ(unnamed.rule, nullptr);
}

TEST(SyscallRulesTest, OnlyTheLowHalfOfAnArgumentCounts) {
  const SyscallFilter filter{{Rule("socket", SyscallAction::kAllow, 0, {{0, kAll, 1}})}};
  EXPECT_EQ(Decide(filter, "socket", {0xdeadbeef00000001}).action, SyscallAction::kAllow);
  EXPECT_EQ(Decide(filter, "socket", {0x0000000100000002}).action, SyscallAction::kDeny);
}

TEST(SyscallRulesTest, ConditionsReadAsWords) {
  EXPECT_EQ(ConditionsInWords(Rule("clone", SyscallAction::kAllow, 0, {{0, 0xf0, 0x10}, {2, kAll, 5}})),
            "arg0 & 0xf0 == 0x10 and arg2 == 0x5");
  EXPECT_EQ(ConditionsInWords(Rule("read", SyscallAction::kAllow)), "");
}

}  // namespace
}  // namespace caisson::policy
