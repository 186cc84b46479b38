// Everything that is wrong with a profile is told with file, line, key and reason.
#include "policy/profile_loader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/profile_source.h"
#include "policy_support.h"

namespace caisson::policy {
namespace {

// Copies of the shipped groups and base, so that a test's profile needs few lines.
void AddBase(const TemporaryDirectory& directory) {
  for (const char* name : {"base.json", "syscall-groups.json", "schema.json"}) {
    std::filesystem::copy_file(std::string(CAISSON_PROFILES_DIR) + "/" + name, directory.path() + "/" + name);
  }
}

constexpr char kHead[] =
    "{\"schema_version\": 1, \"name\": \"p\", \"extends\": \"base\", \"display_name\": \"P\",\n"
    "\"description\": \"d\", \"default_main_file\": \"m\",\n";

// A profile "p" that extends the shipped base; `rest` begins on line 3.
std::string ErrorOf(const std::string& rest) {
  const TemporaryDirectory directory;
  AddBase(directory);
  directory.Write("p.json", kHead + rest + "}");
  return LoadError(directory);
}

std::string ErrorOfRun(const std::string& run) {
  return ErrorOf("\"steps\": {\"run\": {\"command\": [\"/bin/x\"],\n" + run + "}}");
}

TEST(ProfileLoaderTest, ASmallProfileLoads) {
  const TemporaryDirectory directory;
  AddBase(directory);
  directory.Write("p.json", std::string(kHead) + R"("steps": {"run": {"command": ["/bin/x"]}}})");
  directory.Write("notes.txt", "not a profile");
  directory.Write(".hidden.json", "not a profile");
  const absl::StatusOr<ProfileSet> profiles = LoadProfiles(directory.path(), FileTrust::kAnyOwner);
  ASSERT_TRUE(profiles.ok()) << Message(profiles.status());
  ASSERT_EQ(profiles->size(), 1U);
  const Profile& profile = profiles->at("p");
  EXPECT_EQ(profile.source_file, directory.path() + "/p.json");
  EXPECT_EQ(profile.run.command, (std::vector<std::string>{"/bin/x"}));
  EXPECT_EQ(profile.run.environment.at("HOME"), "/box");
  EXPECT_EQ(profile.run.limits.defaults, StandardRunLimits().defaults);
  EXPECT_FALSE(profile.compile.has_value());
}

TEST(ProfileLoaderTest, ARootIsTheHostsOrAnImageAndAChildReplacesIt) {
  const TemporaryDirectory directory;
  AddBase(directory);
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string step = R"("steps": {"run": {"command": ["/bin/x"]}}})";
  directory.Write("p.json", std::string(kHead) + R"("root": {"image": "/i/p.squashfs", "digest": ")" +
                                digest + "\"},\n" + step);
  directory.Write("c.json", R"({"schema_version": 1, "name": "c", "extends": "p"})");
  directory.Write("h.json", R"({"schema_version": 1, "name": "h", "extends": "p", "root": "host"})");
  const absl::StatusOr<ProfileSet> profiles = LoadProfiles(directory.path(), FileTrust::kAnyOwner);
  ASSERT_TRUE(profiles.ok()) << Message(profiles.status());
  for (const char* name : {"p", "c"}) {
    const std::optional<RootImage>& image = profiles->at(name).image;
    ASSERT_TRUE(image.has_value()) << name;
    EXPECT_EQ(image->path, "/i/p.squashfs");
    EXPECT_EQ(image->digest, digest);
    EXPECT_EQ(image->written_at, directory.path() + "/p.json:3: root");
  }
  EXPECT_FALSE(profiles->at("h").image.has_value());
}

TEST(ProfileLoaderTest, ARootThatIsNoneIsAnError) {
  const std::string digest = "sha256:" + std::string(64, '0');
  const auto image = [](const std::string& path, const std::string& text) {
    return R"("root": {"image": ")" + path + R"(", "digest": ")" + text + "\"}";
  };
  const std::string no_digest = "p.json:3: root.digest: must be sha256: and 64 of 0-9 and a-f";
  for (const auto& [root, error] : std::vector<std::pair<std::string, std::string>>{
           {R"("root": "hosts")", "p.json:3: root: must be \"host\" or {\"image\": PATH"},
           {R"("root": null)", "p.json:3: root: must be \"host\" or"},
           {R"("root": {"image": "/i"})", "p.json:3: root.digest: is missing"},
           {R"("root": {"digest": ")" + digest + "\"}", "p.json:3: root.image: is missing"},
           {image("i", digest), "p.json:3: root.image: must be an absolute path"},
           {image("/i/../j", digest), "p.json:3: root.image: must be an absolute path"},
           {image("/i", digest + "0"), no_digest},
           {image("/i", "sha256:" + std::string(63, '0')), no_digest},
           {image("/i", "sha256:" + std::string(64, 'A')), no_digest},
           {image("/i", "sha512:" + std::string(64, '0')), no_digest},
           {image("/i", ""), no_digest},
           {R"("root": {"image": "/i", "digest": ")" + digest + R"(", "rw": true})",
            "p.json:3: root.rw: "}}) {
    EXPECT_NE(ErrorOf(root).find(error), std::string::npos) << root << "\n" << ErrorOf(root);
  }
}

struct ErrorCase {
  const char* what;
  std::string text;  // from line 3 on
  std::string error;
};

TEST(ProfileLoaderTest, FaultsOfAFileNameLineKeyAndReason) {
  const std::string steps = "\"steps\": {\"run\": {\"command\": [\"/bin/x\"]}}";
  const std::vector<ErrorCase> cases = {
      {"unknown key", "\"discription\": \"x\",\n" + steps,
       "p.json:3: discription: unknown key; did you mean 'description'?"},
      {"duplicate key", steps + ",\n\"name\": \"p\"", "p.json:4: duplicate key 'name'"},
      {"wrong type", "\"abstract\": \"yes\",\n" + steps,
       "p.json:3: abstract: must be true or false, not a string"},
      {"unknown step", "\"steps\": {\"link\": {}}", "p.json:3: steps.link: unknown key"},
      {"relative probe", "\"toolchain\": {\"probe\": \"python3\"},\n" + steps,
       "p.json:3: toolchain.probe: must be an absolute path"},
  };
  for (const ErrorCase& test : cases) {
    EXPECT_EQ(ErrorOf(test.text), test.error) << test.what;
  }
}

TEST(ProfileLoaderTest, SyntaxErrorsNameTheLine) {
  const std::string error = ErrorOf("\"steps\": {,}");
  EXPECT_TRUE(error.starts_with("p.json:3: syntax error while parsing")) << error;
}

TEST(ProfileLoaderTest, FaultsOfAStepNameLineKeyAndReason) {
  const std::vector<ErrorCase> cases = {
      {"unknown key", "\"mount\": []", "p.json:4: steps.run.mount: unknown key; did you mean 'mounts'?"},
      {"mount without why", "\"mounts\": [\n{\"source\": \"/opt\"}]",
       "p.json:5: steps.run.mounts[0].why: is missing"},
      {"mount unknown key", "\"mounts\": [\n{\"source\": \"/opt\", \"why\": \"w\", \"rw\": true}]",
       "p.json:5: steps.run.mounts[0].rw: unknown key"},
      {"duplicated mount target",
       "\"mounts\": [\n{\"source\": \"/opt\", \"target\": \"/usr\", \"why\": \"w\"}]",
       "p.json:5: steps.run.mounts[0].target: /usr is already made at base.json:"},
      {"file inside a mount", "\"files\": [\n{\"path\": \"/usr/x\", \"content\": \"\"}]",
       "p.json:5: steps.run.files[0].path: /usr/x lies inside /usr, made at base.json:"},
      {"mount on /box", "\"mounts\": [{\"source\": \"/opt\", \"target\": \"/box\", \"why\": \"w\"}]",
       "p.json:4: steps.run.mounts[0].target: /box belongs to Caisson"},
      {"network", "\"network\": \"host\"", "p.json:4: steps.run.network: must be none or loopback"},
      {"unknown limit", "\"limits\": {\n\"wall_time\": {\"default\": 1}}",
       "p.json:5: steps.run.limits.wall_time: unknown key; did you mean 'wall_time_ms'?"},
      {"zero limit", "\"limits\": {\"pids\": {\n\"default\": 0}}",
       "p.json:5: steps.run.limits.pids.default: must not be 0"},
      {"huge limit", "\"limits\": {\"pids\": {\"ceiling\": 4194305}}",
       "p.json:4: steps.run.limits.pids.ceiling: must be at most 4194304"},
      {"negative limit", "\"limits\": {\"pids\": {\"ceiling\": -1}}",
       "p.json:4: steps.run.limits.pids.ceiling: must be a whole number, not a negative number"},
      {"default above own ceiling", "\"limits\": {\"pids\": {\"default\": 9,\n\"ceiling\": 8}}",
       "p.json:4: steps.run.limits.pids.default: the default 9 is above the ceiling 8"},
      {"default above inherited ceiling", "\"limits\": {\"pids\": {\"default\": 1000}}",
       "p.json:4: steps.run.limits.pids.default: the default 1000 is above the ceiling 512"},
      {"ceiling below inherited default", "\"limits\": {\"pids\": {\"ceiling\": 8}}",
       "p.json:4: steps.run.limits.pids.ceiling: the default 64 is above the ceiling 8"},
      {"unknown group", "\"syscalls\": {\"groups\": [\n\"event\"]}",
       "p.json:5: steps.run.syscalls.groups[0]: no group 'event' in syscall-groups.json; did you mean "
       "'events'?"},
      {"unknown syscall", "\"syscalls\": {\"rules\": [\n{\"name\": \"opennat\", \"why\": \"w\"}]}",
       "p.json:5: steps.run.syscalls.rules[0]: x86-64 has no syscall 'opennat'"},
      {"rule without why", "\"syscalls\": {\"rules\": [\n{\"name\": \"semget\"}]}",
       "p.json:5: steps.run.syscalls.rules[0].why: is missing"},
      {"empty why", "\"syscalls\": {\"rules\": [\n{\"name\": \"semget\", \"why\": \"\"}]}",
       "p.json:5: steps.run.syscalls.rules[0].why: is empty"},
      {"variable name", "\"environment\": {\n\"A-B\": \"x\"}",
       "p.json:5: steps.run.environment.A-B: the name must be of letters, digits and '_', and not begin with "
       "a digit"},
      {"variable without why", "\"environment\": {\n\"A\": {\"value\": \"x\"}}",
       "p.json:5: steps.run.environment.A.why: is missing"},
  };
  for (const ErrorCase& test : cases) {
    const std::string error = ErrorOfRun(test.text);
    // Where the shipped base says something is not this test's business.
    const bool prefix = test.error.ends_with("base.json:");
    EXPECT_EQ(prefix ? error.substr(0, test.error.size()) : error, test.error) << test.what;
  }
}

TEST(ProfileLoaderTest, RulesThatContradictTheParentsPointAtBoth) {
  const std::string error =
      ErrorOfRun("\"syscalls\": {\"rules\": [\n{\"name\": \"ptrace\", \"why\": \"w\"}]}");
  EXPECT_TRUE(error.starts_with(
      "p.json:5: steps.run.syscalls.rules[0]: contradicts another rule of ptrace with the same "
      "conditions (syscall-groups.json:"))
      << error;
}

TEST(ProfileLoaderTest, AnUnconditionalRuleCannotUndoAnArgumentFilter) {
  const std::string error =
      ErrorOfRun("\"syscalls\": {\"rules\": [\n{\"name\": \"clone\", \"why\": \"w\"}]}");
  EXPECT_TRUE(error.starts_with(
      "p.json:5: steps.run.syscalls.rules[0]: a rule without conditions decides every call of "
      "clone, so conditions mean nothing (syscall-groups.json:"))
      << error;
}

TEST(ProfileLoaderTest, CommandsMustBeRunnable) {
  EXPECT_EQ(ErrorOf("\"steps\": {\"run\": {}}"), "p.json:1: steps.run.command: is missing");
  EXPECT_EQ(
      ErrorOf("\"steps\": {\"run\": {\"command\": [\"python3\"]}}"),
      "p.json:3: steps.run.command: the program must be an absolute path or {main}: nothing searches PATH");
  EXPECT_EQ(ErrorOf("\"steps\": {\"run\": {\"command\": [\"{main}\"]}}"),
            "p.json:3: steps.run.command: the program is {main}, but box_executable is not true");
  EXPECT_EQ(ErrorOf("\"steps\": {\"run\": {\"command\": [\"/bin/x\", 3]}}"),
            "p.json:3: steps.run.command[1]: must be a string, not a whole number");
}

TEST(ProfileLoaderTest, NamesMustFitTheirFiles) {
  const TemporaryDirectory directory;
  directory.Write("a.json", "{\"schema_version\": 1,\n\"name\": \"b\"}");
  directory.Write("c.json", "{\"schema_version\": 1,\n\"name\": \"C\"}");
  directory.Write("d.json", "{\"schema_version\": 1}");
  EXPECT_EQ(LoadError(directory),
            "a.json:2: name: is 'b' but the file is 'a.json'\n"
            "c.json:2: name: must be 1 to 63 of a-z, 0-9 and '-', and begin with a letter\n"
            "d.json:1: name: is missing");
}

TEST(ProfileLoaderTest, RequiredTextsMustBeThere) {
  const TemporaryDirectory directory;
  AddBase(directory);
  directory.Write(
      "p.json",
      R"({"schema_version": 1, "name": "p", "extends": "base", "steps": {"run": {"command": ["/bin/x"]}}})");
  EXPECT_EQ(LoadError(directory),
            "p.json:1: display_name: is missing\np.json:1: default_main_file: is missing");
}

TEST(ProfileLoaderTest, SchemaVersionIsRequiredAndOne) {
  const TemporaryDirectory directory;
  directory.Write("a.json", "{\"name\": \"a\"}");
  directory.Write("b.json", "{\"name\": \"b\",\n\"schema_version\": 2}");
  EXPECT_EQ(LoadError(directory),
            "a.json:1: schema_version: is missing\nb.json:2: schema_version: must be 1");
}

TEST(ProfileLoaderTest, ExtendingNobodyIsAnError) {
  const TemporaryDirectory directory;
  AddBase(directory);
  directory.Write("p.json", "{\"schema_version\": 1, \"name\": \"p\",\n\"extends\": \"bas\"}");
  EXPECT_EQ(LoadError(directory), "p.json:2: extends: no profile 'bas'; did you mean 'base'?");
}

TEST(ProfileLoaderTest, CyclesAreErrors) {
  const TemporaryDirectory directory;
  directory.Write("a.json", "{\"schema_version\": 1, \"name\": \"a\",\n\"extends\": \"b\"}");
  directory.Write("b.json", "{\"schema_version\": 1, \"name\": \"b\",\n\n\"extends\": \"a\"}");
  directory.Write("c.json", "{\"schema_version\": 1, \"name\": \"c\", \"extends\": \"c\"}");
  EXPECT_EQ(LoadError(directory),
            "b.json:3: extends: 'a' extends this profile, directly or through others\n"
            "a.json:2: extends: 'b' extends this profile, directly or through others\n"
            "c.json:1: extends: 'c' extends this profile, directly or through others");
}

TEST(ProfileLoaderTest, ChainsAreBounded) {
  const TemporaryDirectory directory;
  AddBase(directory);
  std::string parent = "base";
  for (int index = 0; index < 10; ++index) {
    const std::string name = "p" + std::to_string(index);
    std::string text = R"({"schema_version": 1, "abstract": true, "name": ")";
    text.append(name).append(R"(", "extends": ")").append(parent).append("\"}");
    directory.Write(name + ".json", text);
    parent = name;
  }
  EXPECT_NE(LoadError(directory).find("extends: more than 8 ancestors"), std::string::npos);
}

TEST(ProfileLoaderTest, AProfileWithoutTheStubsCallsIsRefused) {
  const TemporaryDirectory directory;
  directory.Write(
      "p.json",
      "{\"schema_version\": 1,\n\"name\": \"p\", \"display_name\": \"P\", \"description\": \"d\", "
      "\"default_main_file\": \"m\", \"steps\": {\"run\": {\"command\": [\"/bin/x\"]}}}");
  const std::string error = LoadError(directory);
  for (const char* call :
       {"close_range", "read", "pread64", "write", "mmap", "munmap", "openat with arg2 == 0xa00c1", "mkdirat",
        "close", "fchmod", "prlimit64 with arg0 == 0", "execve", "exit_group", "dup2",
        "fcntl with arg1 == 0x2", "lseek", "newfstatat"}) {
    EXPECT_NE(error.find("p.json:2: steps.run.syscalls: does not allow " + std::string(call) + ","),
              std::string::npos)
        << call << "\n"
        << error;
  }
}

TEST(ProfileLoaderTest, EveryFileIsReadBeforeGivingUp) {
  const TemporaryDirectory directory;
  directory.Write("a.json", "{");
  directory.Write("syscall-groups.json", "[]");
  const std::string error = LoadError(directory);
  EXPECT_NE(error.find("a.json:1: syntax error"), std::string::npos) << error;
  EXPECT_NE(error.find("syscall-groups.json:1: document: must be an object"), std::string::npos) << error;
}

TEST(ProfileLoaderTest, LooseFilesAreRefusedByPrivilegedPrograms) {
  const TemporaryDirectory directory;
  AddBase(directory);
  directory.Write("p.json", std::string(kHead) + R"("steps": {"run": {"command": ["/bin/x"]}}})", 0666);
  EXPECT_EQ(LoadError(directory, FileTrust::kAnyOwner), "");
  const std::string error = LoadError(directory, FileTrust::kRequireRootOwned);
  if (geteuid() == 0) {
    EXPECT_EQ(error, "p.json:1: file: mode 0666 lets others write; take away with chmod go-w");
    ASSERT_EQ(chmod((directory.path() + "/p.json").c_str(), 0644), 0);
    EXPECT_EQ(LoadError(directory, FileTrust::kRequireRootOwned), "");
    ASSERT_EQ(chmod(directory.path().c_str(), 0775), 0);
    EXPECT_NE(LoadError(directory, FileTrust::kRequireRootOwned).find(":1: directory: mode 0775"),
              std::string::npos);
  } else {
    EXPECT_NE(error.find("must be root's"), std::string::npos) << error;
  }
}

TEST(ProfileLoaderTest, LinksAreRefused) {
  const TemporaryDirectory directory;
  AddBase(directory);
  std::filesystem::create_symlink("base.json", directory.path() + "/p.json");
  EXPECT_EQ(LoadError(directory), "p.json:1: file: is a symbolic link");
}

TEST(ProfileLoaderTest, AnAbsentDirectoryIsNotFound) {
  EXPECT_EQ(LoadProfiles("/nonexistent", FileTrust::kAnyOwner).status().code(), absl::StatusCode::kNotFound);
}

TEST(ProfileLoaderTest, TheExampleOfTheDocumentLoads) {
  std::ifstream document(CAISSON_PROFILES_DIR "/../docs/profiles.md");
  const std::string text{std::istreambuf_iterator<char>(document), {}};
  const std::string opening = "```json\n";
  const size_t start = text.find(opening);
  ASSERT_NE(start, std::string::npos);
  const size_t end = text.find("```", start + opening.size());
  const TemporaryDirectory directory;
  AddBase(directory);
  directory.Write("awk.json", text.substr(start + opening.size(), end - start - opening.size()));
  EXPECT_EQ(LoadError(directory), "");
}

TEST(ProfileLoaderTest, TextAloneCanBeParsed) {
  const absl::StatusOr<ProfileSource> source =
      ParseProfileText("{\"schema_version\": 1, \"name\": \"p\", \"hello_program\": \"x\"}", "p.json");
  ASSERT_TRUE(source.ok()) << Message(source.status());
  EXPECT_EQ(source->name.value, "p");
  EXPECT_EQ(source->hello_program->value, "x");
  EXPECT_FALSE(source->abstract);
}

}  // namespace
}  // namespace caisson::policy
