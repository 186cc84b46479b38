#include "policy/profile_resolver.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status.h"
#include "policy_support.h"

namespace caisson::policy {
namespace {

// A group with all that the stub needs, so that small profiles are valid.
constexpr char kGroups[] = R"({"schema_version": 1, "groups": {"stub": {"description": "d", "rules": [
  {"names": ["close", "close_range", "dup2", "execve", "exit_group", "fchmod", "lseek", "mkdirat", "mmap", "munmap",
             "newfstatat", "openat", "pread64", "read", "write"], "why": "w"},
  {"name": "fcntl", "args": [{"index": 1, "value": 2}], "why": "w"},
  {"name": "prlimit64", "args": [{"index": 0, "value": 0}], "why": "w"}]}}})";

Profile ResolveLast(const std::vector<std::string>& texts) {
  ProfileSources sources;
  std::string last;
  for (const std::string& text : texts) {
    const size_t start = text.find("\"name\": \"") + 9;
    last = text.substr(start, text.find('"', start) - start);
    absl::StatusOr<ProfileSource> source = ParseProfileText(text, last + ".json");
    EXPECT_TRUE(source.ok()) << Message(source.status());
    sources[last] = *std::move(source);
  }
  const auto profiles = ResolveProfiles(sources, *ParseSyscallGroups(kGroups, "g"));
  EXPECT_TRUE(profiles.ok()) << Message(profiles.status());
  return profiles.ok() && profiles->contains(last) ? profiles->at(last) : Profile();
}

constexpr char kParent[] =
    R"({"schema_version": 1, "name": "parent", "display_name": "Parent", "description": "d",
  "default_main_file": "m", "file_extension": ".p", "toolchain": {"package": "pkg", "probe": "/bin/p"},
  "steps": {
    "all": {"environment": {"A": "all", "B": "all"}, "mounts": [{"source": "/usr", "why": "w", "executable": true}],
            "syscalls": {"groups": ["stub"]}, "limits": {"pids": {"default": 10, "ceiling": 20}}},
    "run": {"command": ["/bin/p", "{main}"], "environment": {"B": "run"}, "network": "loopback"}}})";

TEST(ProfileResolverTest, TheStepsOwnSectionComesOnTopOfAll) {
  const Profile profile = ResolveLast({kParent});
  EXPECT_EQ(profile.run.environment, (std::map<std::string, std::string>{{"A", "all"}, {"B", "run"}}));
  EXPECT_EQ(profile.run.network, NetworkMode::kLoopback);
  EXPECT_FALSE(profile.run.box_executable);
  EXPECT_FALSE(profile.compile.has_value());
}

TEST(ProfileResolverTest, SingleValuesReplaceAndListsGrow) {
  const Profile profile = ResolveLast({kParent, R"({"schema_version": 1, "name": "child", "extends": "parent",
    "display_name": "Child", "toolchain": {"package": "other"},
    "steps": {"run": {"command": ["/bin/c"], "network": "none", "box_executable": true,
      "environment": {"A": {"value": "child", "why": "because"}},
      "mounts": [{"source": "/opt", "why": "w", "optional": true}],
      "limits": {"pids": {"default": 15}},
      "syscalls": {"groups": ["stub"], "rules": [{"name": "getpid", "why": "w"}]}}}})"});
  EXPECT_EQ(profile.name, "child");
  EXPECT_EQ(profile.display_name, "Child");
  EXPECT_EQ(profile.description, "d");
  EXPECT_EQ(profile.file_extension, ".p");
  EXPECT_EQ(profile.toolchain_package, "other");
  EXPECT_EQ(profile.toolchain_probe, "/bin/p");
  EXPECT_EQ(profile.source_file, "child.json");
  EXPECT_EQ(profile.run.command, (std::vector<std::string>{"/bin/c"}));
  EXPECT_EQ(profile.run.network, NetworkMode::kNone);
  EXPECT_TRUE(profile.run.box_executable);
  EXPECT_EQ(profile.run.environment, (std::map<std::string, std::string>{{"A", "child"}, {"B", "run"}}));
  EXPECT_EQ(profile.run.environment_whys, (std::map<std::string, std::string>{{"A", "because"}}));
  ASSERT_EQ(profile.run.binds.size(), 2U);
  EXPECT_EQ(profile.run.binds[0].source, "/usr");
  EXPECT_TRUE(profile.run.binds[0].executable);
  EXPECT_EQ(profile.run.binds[1].source, "/opt");
  EXPECT_EQ(profile.run.binds[1].target, "/opt");
  EXPECT_FALSE(profile.run.binds[1].executable);
  EXPECT_TRUE(profile.run.binds[1].optional);
  EXPECT_EQ(profile.run.limits.defaults.Get(LimitId::kPids), 15U);
  EXPECT_EQ(profile.run.limits.ceilings.Get(LimitId::kPids), 20U);
  EXPECT_EQ(profile.run.limits.defaults.Get(LimitId::kOpenFiles), 256U);
  // The group named twice counts once: 15 names and 2 rules, then the child's own.
  ASSERT_EQ(profile.run.filter.rules.size(), 18U);
  EXPECT_EQ(profile.run.filter.rules.back().syscall, "getpid");
}

TEST(ProfileResolverTest, ACompileStepHasItsOwnLimitsAndWhatAllSays) {
  const Profile profile =
      ResolveLast({kParent, R"({"schema_version": 1, "name": "compiled", "extends": "parent",
    "steps": {"compile": {"command": ["/bin/cc", "-o", "main", "{sources}"], "outputs": ["main", "lib/a.so"]}}})"});
  ASSERT_TRUE(profile.compile.has_value());
  EXPECT_EQ(profile.compile->command, (std::vector<std::string>{"/bin/cc", "-o", "main", "{sources}"}));
  EXPECT_EQ(profile.compile->outputs, (std::vector<std::string>{"main", "lib/a.so"}));
  EXPECT_TRUE(profile.run.outputs.empty());
  EXPECT_EQ(profile.compile->environment.at("B"), "all");
  EXPECT_EQ(profile.compile->network, NetworkMode::kNone);
  EXPECT_EQ(profile.compile->limits.defaults.Get(LimitId::kWallTimeMs), 30'000U);
  EXPECT_EQ(profile.compile->limits.defaults.Get(LimitId::kPids), 10U);
  EXPECT_EQ(profile.run.command, (std::vector<std::string>{"/bin/p", "{main}"}));
}

// The profile under the groups `extra` besides `stub`, and the complaint.
std::pair<Profile, std::string> WithTerminal(const std::string& keys, const std::string& rules,
                                             const std::string& extra) {
  const std::string text =
      R"({"schema_version": 1, "name": "t", "display_name": "T", "description": "d", "default_main_file": "m", )" +
      keys + R"("steps": {"run": {"command": ["/bin/t"], "syscalls": {"groups": ["stub"], "rules": [)" +
      rules + "]}}}}";
  std::string groups = kGroups;
  groups.insert(groups.find("\"stub\""), extra);
  const auto profiles =
      ResolveProfiles({{"t", *ParseProfileText(text, "t.json")}}, *ParseSyscallGroups(groups, "g"));
  return profiles.ok() ? std::pair(profiles->at("t"), std::string())
                       : std::pair(Profile(), Message(profiles.status()));
}

constexpr char kTerminalGroupText[] = R"("terminal": {"description": "d", "rules": [
  {"name": "ioctl", "args": [{"index": 1, "value": 7}], "why": "w"}]}, )";

TEST(ProfileResolverTest, ATerminalIsOfferedUnlessTheProfileSaysOtherwise) {
  const auto [offers, none] = WithTerminal("", "", kTerminalGroupText);
  EXPECT_TRUE(offers.interactive) << none;
  EXPECT_EQ(offers.run.terminal_filter.rules.size(), offers.run.filter.rules.size() + 1);
  EXPECT_EQ(offers.run.terminal_filter.rules.back().syscall, "ioctl");
  const auto [refuses, error] = WithTerminal(R"("interactive": false, )", "", kTerminalGroupText);
  EXPECT_FALSE(refuses.interactive) << error;
  EXPECT_TRUE(refuses.run.terminal_filter.rules.empty());
}

TEST(ProfileResolverTest, WithoutTheGroupThereIsNoTerminal) {
  EXPECT_FALSE(WithTerminal("", "", "").first.interactive);
  EXPECT_EQ(WithTerminal(R"("interactive": true, )", "", "").second,
            "t.json:1: interactive: no group 'terminal' in syscall-groups.json");
}

TEST(ProfileResolverTest, AProfileThatSaysOtherwiseAboutATerminalsCallsIsAContradiction) {
  EXPECT_EQ(
      WithTerminal(
          "",
          R"({"name": "ioctl", "action": "errno", "errno": "EIO", "args": [{"index": 1, "value": 7}], "why": "w"})",
          kTerminalGroupText)
          .second,
      "t.json:1: interactive: with the group terminal: ioctl: contradicts another rule of ioctl with the "
      "same conditions");
  // What is allowed whatever its arguments are needs no more.
  const auto [open, error] = WithTerminal("", R"({"name": "ioctl", "why": "w"})", kTerminalGroupText);
  EXPECT_TRUE(open.interactive) << error;
  EXPECT_EQ(open.run.terminal_filter.rules.size(), open.run.filter.rules.size());
}

// The complaint that a compile section brings, or "" for none.
std::string CompileComplaint(const std::string& compile) {
  ProfileSources sources;
  sources["parent"] = *ParseProfileText(kParent, "parent.json");
  sources["c"] = *ParseProfileText(
      R"({"schema_version": 1, "name": "c", "extends": "parent", "steps": )" + compile + "}", "c.json");
  return Message(ResolveProfiles(sources, *ParseSyscallGroups(kGroups, "g")).status());
}

TEST(ProfileResolverTest, ACompileStepNamesItsOutputs) {
  EXPECT_EQ(
      CompileComplaint(R"({"compile": {"command": ["/bin/cc"]}})"),
      "c.json:1: steps.compile.outputs: is missing: the run step would get nothing of what was compiled");
  EXPECT_EQ(CompileComplaint(R"({"compile": {"command": ["/bin/cc"], "outputs": ["."]}})"), "");
  for (const char* path : {"", "/etc", "../x", "a/./b", "a//b", "a/", ".."}) {
    EXPECT_EQ(CompileComplaint(R"({"compile": {"command": ["/bin/cc"], "outputs": [")" + std::string(path) +
                               "\"]}}"),
              "c.json:1: steps.compile.outputs: '" + std::string(path) +
                  "' must be a path below /box, relative to it, or '.'");
  }
}

TEST(ProfileResolverTest, OutputsAndSourcesAreForCompileStepsOnly) {
  EXPECT_EQ(CompileComplaint(R"({"run": {"outputs": ["a"]}})"),
            "c.json:1: steps.run.outputs: only steps.compile has outputs; of a run, the request names them");
  EXPECT_EQ(CompileComplaint(R"({"run": {"command": ["/bin/cat", "{sources}"]}})"),
            "c.json:1: steps.run.command: {sources} is for a compile step's command only");
}

TEST(ProfileResolverTest, APlaceholderWithinAWordIsAMistake) {
  EXPECT_EQ(CompileComplaint(R"({"run": {"command": ["/bin/cat", "--file={main}"]}})"),
            "c.json:1: steps.run.command: '--file={main}': {main} must be a word of its own");
}

TEST(ProfileResolverTest, AbstractProfilesAreNotListedAndTheirChildrenAre) {
  std::string abstract = kParent;
  abstract.insert(1, "\"abstract\": true, ");
  const Profile child =
      ResolveLast({abstract, R"({"schema_version": 1, "name": "child", "extends": "parent"})"});
  EXPECT_EQ(child.name, "child");
  ProfileSources sources;
  sources["parent"] = *ParseProfileText(abstract, "parent.json");
  EXPECT_TRUE(ResolveProfiles(sources, *ParseSyscallGroups(kGroups, "g"))->empty());
}

TEST(ProfileResolverTest, AFaultOfTheParentIsToldOnce) {
  std::string parent = kParent;
  parent.replace(parent.find("\"/usr\""), 6, "\"/proc\"");
  ProfileSources sources;
  sources["parent"] = *ParseProfileText(parent, "parent.json");
  sources["child"] =
      *ParseProfileText(R"({"schema_version": 1, "name": "child", "extends": "parent"})", "child.json");
  const auto profiles = ResolveProfiles(sources, *ParseSyscallGroups(kGroups, "g"));
  EXPECT_EQ(Message(profiles.status()),
            "parent.json:4: steps.all.mounts[0].target: /proc belongs to Caisson");
}

}  // namespace
}  // namespace caisson::policy
