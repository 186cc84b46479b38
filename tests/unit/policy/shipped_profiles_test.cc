// Promises about the files in profiles/.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "policy/json_document.h"
#include "policy/lint.h"
#include "policy/syscall_groups.h"
#include "policy/syscall_rules.h"
#include "policy_support.h"

namespace caisson::policy {
namespace {

std::string GroupsText() {
  std::ifstream file(std::string(CAISSON_PROFILES_DIR) + "/" + kSyscallGroupsFile);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ShippedProfilesTest, EveryLanguageIsListedAndBaseIsNot) {
  const ProfileSet profiles = ShippedProfiles();
  std::vector<std::string> names;
  for (const auto& [name, profile] : profiles) {
    names.push_back(name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"bash",  "c",      "c11",    "c17",
                                             "c23",   "cpp",    "cpp11",  "cpp14",
                                             "cpp17", "cpp23",  "go",     "java",
                                             "lua",   "native", "node",   "node-loopback",
                                             "perl",  "php",    "python", "python-loopback",
                                             "ruby",  "rust"}));
}

TEST(ShippedProfilesTest, EachNamesItsToolchainBelowUsr) {
  for (const auto& [name, profile] : ShippedProfiles()) {
    if (name == "native") {
      EXPECT_TRUE(profile.toolchain_probe.empty());
      continue;
    }
    EXPECT_FALSE(profile.toolchain_package.empty()) << name;
    EXPECT_TRUE(profile.toolchain_probe.starts_with("/usr/bin/")) << name;
    EXPECT_TRUE(profile.default_main_file.ends_with(profile.file_extension)) << name;
    EXPECT_FALSE(profile.hello_program.empty()) << name;
  }
}

TEST(ShippedProfilesTest, LintHasNothingToSay) {
  for (const auto& [name, profile] : ShippedProfiles()) {
    const std::vector<std::string> findings = LintProfile(profile);
    EXPECT_TRUE(findings.empty()) << findings.front();
  }
}

TEST(ShippedProfilesTest, EveryRuleAndEveryBindHasItsWhy) {
  for (const auto& [name, profile] : ShippedProfiles()) {
    for (const SyscallRule& rule : profile.run.filter.rules) {
      EXPECT_GE(rule.why.size(), 8U) << name << " " << rule.syscall;
    }
    for (const BindMount& bind : profile.run.binds) {
      EXPECT_FALSE(bind.why.empty()) << name << " " << bind.source;
    }
  }
}

TEST(ShippedProfilesTest, GroupsAndTheirCallsAreSortedAndDescribed) {
  const absl::StatusOr<JsonValue> document = ParseJson(GroupsText(), kSyscallGroupsFile);
  ASSERT_TRUE(document.ok()) << Message(document.status());
  const auto by_key = [](const auto& left, const auto& right) { return left.name < right.name; };
  for (const auto& [key, groups] : document->members) {
    if (key != "groups") {
      continue;
    }
    EXPECT_TRUE(std::is_sorted(groups.members.begin(), groups.members.end(), by_key));
    EXPECT_GE(groups.members.size(), 10U);
    for (const auto& [name, group] : groups.members) {
      for (const auto& [member, value] : group.members) {
        EXPECT_TRUE(member != "calls" || std::is_sorted(value.members.begin(), value.members.end(), by_key))
            << name;
      }
    }
  }
}

TEST(ShippedProfilesTest, EveryGroupIsUsed) {
  const absl::StatusOr<SyscallGroups> groups = ParseSyscallGroups(GroupsText(), kSyscallGroupsFile);
  ASSERT_TRUE(groups.ok()) << Message(groups.status());
  const ProfileSet profiles = ShippedProfiles();
  for (const auto& [name, group] : *groups) {
    EXPECT_FALSE(group.description.empty()) << name;
    if (name == kTerminalGroup) {
      continue;  // ATerminalAddsRequestsOfIoctlAndNothingElse has it.
    }
    ASSERT_FALSE(group.rules.empty()) << name;
    const std::string& call = group.rules.front().value.syscall;
    const bool used = std::any_of(profiles.begin(), profiles.end(), [&](const auto& entry) {
      const auto& rules = entry.second.run.filter.rules;
      return std::any_of(rules.begin(), rules.end(),
                         [&](const SyscallRule& rule) { return rule.syscall == call; });
    });
    EXPECT_TRUE(used) << name;
  }
}

TEST(ShippedProfilesTest, ATerminalAddsRequestsOfIoctlAndNothingElse) {
  for (const auto& [name, profile] : ShippedProfiles()) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(profile.interactive);
    EXPECT_FALSE(profile.compile && !profile.compile->terminal_filter.rules.empty());
    const auto& own = profile.run.filter.rules;
    const auto& with = profile.run.terminal_filter.rules;
    ASSERT_GT(with.size(), own.size());
    for (size_t i = 0; i < with.size(); ++i) {
      EXPECT_EQ(with[i].syscall, i < own.size() ? own[i].syscall : "ioctl");
    }
    // TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD, TIOCVHANGUP, TIOCEXCL, TIOCPKT, TIOCGPTPEER
    for (const uint32_t request : {0x5412U, 0x541cU, 0x541dU, 0x5423U, 0x5437U, 0x540cU, 0x5420U, 0x5441U}) {
      EXPECT_EQ(Decide(profile.run.terminal_filter, "ioctl", {0, request}).action, SyscallAction::kDeny)
          << request;
    }
    EXPECT_EQ(Decide(profile.run.filter, "ioctl", {0, 0x5402}).action, SyscallAction::kDeny);
    EXPECT_EQ(Decide(profile.run.terminal_filter, "ioctl", {0, 0x5402}).action, SyscallAction::kAllow);
  }
}

TEST(ShippedProfilesTest, PythonShowsLinesAsTheyArePrinted) {
  const Profile python = ShippedProfiles().at("python");
  EXPECT_EQ(python.run.command, (std::vector<std::string>{"/usr/bin/python3", "{main}"}));
  // A .pth file of the user's directory; tests/languages/python/buffering.py is the proof.
  EXPECT_EQ(python.run.environment.at("PYTHONUSERBASE"), "/etc/python-user");
  EXPECT_TRUE(python.run.environment_whys.contains("PYTHONUSERBASE"));
  EXPECT_FALSE(python.run.environment.contains("PYTHONUNBUFFERED"));
  EXPECT_EQ(python.run.environment.at("HOME"), "/box");
  EXPECT_FALSE(python.run.box_executable);
  EXPECT_EQ(python.toolchain_probe, "/usr/bin/python3");
}

TEST(ShippedProfilesTest, NativeExecutesItsMainFile) {
  const Profile native = ShippedProfiles().at("native");
  EXPECT_EQ(native.run.command, (std::vector<std::string>{"{main}"}));
  EXPECT_TRUE(native.run.box_executable);
  EXPECT_EQ(native.default_main_file, "program");
}

void ExpectNothingOfTheHostsUsers(const StepSection& step) {
  for (const BindMount& bind : step.binds) {
    EXPECT_TRUE(bind.source == "/usr" || bind.source.starts_with("/etc/")) << bind.source;
    EXPECT_EQ(bind.executable, bind.source == "/usr") << bind.source;
  }
  const auto passwd = std::find_if(step.files.begin(), step.files.end(),
                                   [](const TextFile& file) { return file.path == "/etc/passwd"; });
  ASSERT_NE(passwd, step.files.end());
  // The three names that every program may expect, and no name that stands on this host only.
  EXPECT_EQ(passwd->content,
            "box:x:1000:1000:box:/box:/bin/sh\n"
            "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            "root:x:0:0:root:/root:/usr/sbin/nologin\n");
}

TEST(ShippedProfilesTest, TheRootShowsNothingOfTheHostsUsers) {
  for (const auto& [name, profile] : ShippedProfiles()) {
    ExpectNothingOfTheHostsUsers(profile.run);
    if (profile.compile) {
      ExpectNothingOfTheHostsUsers(*profile.compile);
      EXPECT_FALSE(profile.compile->box_executable)
          << name << ": nothing that was just made is executed there";
    }
  }
}

bool IsLoopback(const std::string& name) { return name.ends_with("-loopback"); }

TEST(ShippedProfilesTest, NoneHasANetworkButThoseWhoseNameSaysSo) {
  for (const auto& [name, profile] : ShippedProfiles()) {
    EXPECT_EQ(profile.run.network, IsLoopback(name) ? NetworkMode::kLoopback : NetworkMode::kNone) << name;
    EXPECT_TRUE(!profile.compile || profile.compile->network == NetworkMode::kNone) << name;
  }
}

// What a filter says about every other call than these two.
std::vector<std::string> RulesBesidesSockets(const Profile& profile) {
  std::vector<std::string> rules;
  for (const SyscallRule& rule : profile.run.filter.rules) {
    if (rule.syscall != "socket" && rule.syscall != "setsockopt") {
      rules.push_back(rule.syscall + ": " + rule.why);
    }
  }
  std::sort(rules.begin(), rules.end());
  return rules;
}

TEST(ShippedProfilesTest, ALoopbackAddsSocketsAndTheirOptionsAndNothingElse) {
  const ProfileSet profiles = ShippedProfiles();
  size_t seen = 0;
  for (const auto& [name, profile] : profiles) {
    if (!IsLoopback(name)) {
      continue;
    }
    SCOPED_TRACE(name);
    ++seen;
    const Profile& parent = profiles.at(profile.variant_of);
    EXPECT_EQ(name, profile.variant_of + "-loopback");
    EXPECT_EQ(profile.run.command, parent.run.command);
    EXPECT_EQ(RulesBesidesSockets(profile), RulesBesidesSockets(parent));
    EXPECT_GT(profile.run.filter.rules.size(), parent.run.filter.rules.size());
  }
  EXPECT_EQ(seen, 2U);
}

// The listener's is inherited by connections that wait in its queue, whose memory no limit of the run covers.
TEST(ShippedProfilesTest, NobodyChoosesTheSizeOfAReceiveBuffer) {
  for (const auto& [name, profile] : ShippedProfiles()) {
    EXPECT_NE(Decide(profile.run.filter, "setsockopt", {0, 1, 8}).action, SyscallAction::kAllow) << name;
    EXPECT_NE(Decide(profile.run.filter, "setsockopt", {0, 1, 33}).action, SyscallAction::kAllow) << name;
    EXPECT_NE(Decide(profile.run.filter, "setsockopt", {0, 1, 18}).action, SyscallAction::kAllow) << name;
  }
}

TEST(ShippedProfilesTest, VariantsDifferInTheStandardTheyCompileForOnly) {
  const ProfileSet profiles = ShippedProfiles();
  size_t variants = 0;
  for (const auto& [name, profile] : profiles) {
    if (profile.variant_of.empty() || IsLoopback(name)) {
      continue;
    }
    ++variants;
    const Profile& parent = profiles.at(profile.variant_of);
    EXPECT_TRUE(name.starts_with(profile.variant_of)) << name;
    EXPECT_EQ(profile.run.command, parent.run.command) << name;
    ASSERT_EQ(profile.compile->command.size(), parent.compile->command.size()) << name;
    for (size_t i = 0; i < parent.compile->command.size(); ++i) {
      EXPECT_TRUE(profile.compile->command[i] == parent.compile->command[i] ||
                  profile.compile->command[i].starts_with("-std="))
          << name << " " << profile.compile->command[i];
    }
  }
  EXPECT_EQ(variants, 7U);
}

}  // namespace
}  // namespace caisson::policy
