#include "policy/syscall_groups.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "common/status.h"

namespace caisson::policy {
namespace {

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<SyscallGroups> groups = ParseSyscallGroups(text, "g");
  return groups.ok() ? std::string() : Message(groups.status());
}

TEST(SyscallGroupsTest, CallsTakeTheGroupsActionAndKeepTheirWhy) {
  const absl::StatusOr<SyscallGroups> groups = ParseSyscallGroups(
      R"({"schema_version": 1, "groups": {
        "probes": {"description": "d", "action": "errno", "errno": "ENOSYS", "calls": {"clone3": "because"}}}})",
      "g");
  ASSERT_TRUE(groups.ok()) << Message(groups.status());
  const SyscallRule& rule = groups->at("probes").rules.at(0).value;
  EXPECT_EQ(rule.syscall, "clone3");
  EXPECT_EQ(rule.action, SyscallAction::kErrno);
  EXPECT_EQ(rule.errno_value, ENOSYS);
  EXPECT_EQ(rule.why, "because");
  EXPECT_EQ(groups->at("probes").rules.at(0).at.Where(), "g:2");
}

TEST(SyscallGroupsTest, ValuesStandForOneRuleEach) {
  const absl::StatusOr<SyscallGroups> groups = ParseSyscallGroups(
      R"({"schema_version": 1, "groups": {"g": {"description": "d", "rules": [
        {"names": ["fcntl", "ioctl"], "args": [{"index": 1, "values": [3, "0x5401"]}, {"index": 2, "mask": "0xff", "value": 1}], "why": "w"}]}}})",
      "g");
  ASSERT_TRUE(groups.ok()) << Message(groups.status());
  const auto& rules = groups->at("g").rules;
  ASSERT_EQ(rules.size(), 4U);
  EXPECT_EQ(rules[0].value.syscall, "fcntl");
  EXPECT_EQ(rules[3].value.syscall, "ioctl");
  ASSERT_EQ(rules[1].value.conditions.size(), 2U);
  EXPECT_EQ(rules[1].value.conditions[0].value, 0x5401U);
  EXPECT_EQ(rules[1].value.conditions[0].mask, 0xffffffffU);
  EXPECT_EQ(rules[1].value.conditions[1].mask, 0xffU);
}

TEST(SyscallGroupsTest, FaultsNameLineKeyAndReason) {
  const auto with_group = [](const std::string& group) {
    return "{\"schema_version\": 1, \"groups\": {\"g\":\n" + group + "}}";
  };
  EXPECT_EQ(ErrorOf("{\"groups\": {}}"), "g:1: schema_version: is missing");
  EXPECT_EQ(ErrorOf("{\"schema_version\": 2, \"groups\": {}}"), "g:1: schema_version: must be 1");
  EXPECT_EQ(ErrorOf(with_group(R"({"description": "d"})")),
            "g:2: groups.g.calls: is missing, and so is rules");
  EXPECT_EQ(ErrorOf(with_group(R"({"calls": {"read": "w"}})")), "g:2: groups.g.description: is missing");
  EXPECT_EQ(ErrorOf(with_group(R"({"description": "d", "calls": {"read": ""}})")),
            "g:2: groups.g.calls.read: must be the reason for this entry");
  EXPECT_EQ(ErrorOf(with_group(R"({"description": "d", "rules": [{"name": "read"}]})")),
            "g:2: groups.g.rules[0].why: is missing");
  EXPECT_EQ(ErrorOf(with_group(R"({"description": "d", "rules": [{"why": "w"}]})")),
            "g:2: groups.g.rules[0].name: give either name or names");
  EXPECT_EQ(ErrorOf(with_group(
                R"({"description": "d", "rules": [{"name": "read", "action": "trap", "why": "w"}]})")),
            "g:2: groups.g.rules[0].action: must be allow, errno, succeed, count, deny or kill");
  EXPECT_EQ(ErrorOf(with_group(
                R"({"description": "d", "rules": [{"name": "read", "action": "errno", "why": "w"}]})")),
            "g:2: groups.g.rules[0].errno: is missing: the action errno needs one");
  EXPECT_EQ(ErrorOf(with_group(
                R"({"description": "d", "rules": [{"name": "read", "errno": "EPERM", "why": "w"}]})")),
            "g:2: groups.g.rules[0].errno: means nothing for the action allow");
  EXPECT_EQ(
      ErrorOf(with_group(
          R"({"description": "d", "rules": [{"name": "read", "action": "deny", "errno": "EFOO", "why": "w"}]})")),
      "g:2: groups.g.rules[0].errno: 'EFOO' is not the name of an error, such as ENOSYS");
}

TEST(SyscallGroupsTest, FaultyArgumentsAreNamed) {
  const auto with_args = [](const std::string& args) {
    return R"({"schema_version": 1, "groups": {"g": {"description": "d", "rules": [{"name": "read", "why": "w", "args": )" +
           args + "}]}}}";
  };
  const std::string at = "g:1: groups.g.rules[0].args";
  EXPECT_EQ(ErrorOf(with_args("[]")), at + ": is empty; leave it out for a rule on every call");
  EXPECT_EQ(ErrorOf(with_args(R"([{"index": 6, "value": 1}])")),
            at + "[0].index: arguments are numbered 0 to 5");
  EXPECT_EQ(ErrorOf(with_args(R"([{"index": 0}])")), at + "[0].value: give either value or values");
  EXPECT_EQ(ErrorOf(with_args(R"([{"index": 0, "value": 1, "values": [1]}])")),
            at + "[0].value: give either value or values");
  EXPECT_EQ(ErrorOf(with_args(R"([{"index": 0, "value": 4294967296}])")),
            at + "[0].value: must be a number below 2^32, or one written as \"0x5401\"");
  EXPECT_EQ(ErrorOf(with_args(R"([{"index": 0, "value": "5401"}])")),
            at + "[0].value: must be a number below 2^32, or one written as \"0x5401\"");
  EXPECT_EQ(ErrorOf(with_args(R"([{"index": 0, "value": "0x1ffffffff"}])")),
            at + "[0].value: must be a number below 2^32, or one written as \"0x5401\"");
  EXPECT_EQ(ErrorOf(with_args(R"([{"value": 1}])")), at + "[0].index: is missing");
}

}  // namespace
}  // namespace caisson::policy
