#include "cli/run_request.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/unique_fd.h"

namespace caisson::cli {
namespace {

class RunRequestTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& content) const {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  // A pipe's read end that holds `content`, at most the size of a pipe.
  static UniqueFd Pipe(const std::string& content) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    UniqueFd write_end(ends[1]);
    EXPECT_EQ(write(write_end.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    return UniqueFd(ends[0]);
  }

  std::string directory_ = "/tmp/caisson-run-request-test-XXXXXX";
};

TEST_F(RunRequestTest, MainFileGoesByItsLastName) {
  RunOptions options;
  options.main_file = Write("main.py", "print(1)");
  options.args = {"a", "-b", "[1,2]"};
  const auto request = BuildRequest(options);
  ASSERT_TRUE(request.ok()) << request.status();
  ASSERT_EQ(request->files_size(), 1);
  EXPECT_EQ(request->files(0).path(), "main.py");
  EXPECT_EQ(request->files(0).content(), "print(1)");
  EXPECT_FALSE(request->files(0).executable());
  EXPECT_EQ(request->main_file(), "main.py");
  ASSERT_EQ(request->args_size(), 3);
  EXPECT_EQ(request->args(2), "[1,2]");
}

TEST_F(RunRequestTest, ModeOrElfMagicMakesAFileExecutable) {
  RunOptions options;
  options.main_file = Write("a.out",
                            "\x7f"
                            "ELF...");
  const std::string script = Write("tool.sh", "#!/bin/sh\n");
  ASSERT_EQ(chmod(script.c_str(), 0755), 0);
  options.files = {script};
  const auto request = BuildRequest(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_TRUE(request->files(0).executable());
  EXPECT_TRUE(request->files(1).executable());
}

TEST_F(RunRequestTest, FilesThatCannotBeReadAreTheCallersMistake) {
  RunOptions options;
  options.main_file = directory_ + "/absent.py";
  const absl::Status absent = BuildRequest(options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(absent)) << absent;
  EXPECT_EQ(Message(absent), "read " + directory_ + "/absent.py: No such file or directory");
  options.main_file = directory_;
  EXPECT_TRUE(absl::IsInvalidArgument(BuildRequest(options).status()));
}

TEST_F(RunRequestTest, FilesOverTheRequestSizeAreRefusedBeforeTheyAreSent) {
  RunOptions options;
  options.main_file = Write("main.py", "");
  ASSERT_EQ(truncate(options.main_file.c_str(), 256 * 1024 * 1024 + 1), 0);
  const absl::Status large = BuildRequest(options).status();
  EXPECT_TRUE(absl::IsResourceExhausted(large)) << large;
  EXPECT_NE(Message(large).find("larger than the 256 MiB"), std::string::npos) << large;
  ASSERT_EQ(truncate(options.main_file.c_str(), 17 * 1024 * 1024), 0);
  auto request = BuildRequest(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_TRUE(CheckRequestSize(*request).ok()) << "files may be sent in chunks";
  request->set_stdin(std::string(16 * 1024 * 1024, 'x'));
  EXPECT_TRUE(absl::IsResourceExhausted(CheckRequestSize(*request))) << "everything else may not";
}

TEST_F(RunRequestTest, StandardInputIsSentAlong) {
  RunOptions options;
  options.main_file = "main.py";
  const UniqueFd input = Pipe("42\n");
  v1::ExecuteRequest request;
  ASSERT_TRUE(AddStandardInput(options, "", input.get(), request).ok());
  EXPECT_EQ(request.stdin(), "42\n");
  EXPECT_EQ(request.files_size(), 0);
}

TEST_F(RunRequestTest, NoStdinReadsNothing) {
  RunOptions options;
  options.main_file = "main.py";
  options.no_stdin = true;
  v1::ExecuteRequest request;
  EXPECT_TRUE(AddStandardInput(options, "", -1, request).ok());
  EXPECT_EQ(request.stdin(), "");
}

TEST_F(RunRequestTest, DashMakesStandardInputTheProgram) {
  RunOptions options;
  options.main_file = "-";
  const UniqueFd input = Pipe("print(1)");
  auto request = BuildRequest(options);
  ASSERT_TRUE(request.ok()) << request.status();
  ASSERT_TRUE(AddStandardInput(options, "main.py", input.get(), *request).ok());
  EXPECT_EQ(request->stdin(), "");
  EXPECT_EQ(request->main_file(), "main.py");
  ASSERT_EQ(request->files_size(), 1);
  EXPECT_EQ(request->files(0).content(), "print(1)");
}

TEST_F(RunRequestTest, PairsAndOverflowReachTheRequest) {
  RunOptions options;
  options.main_file = Write("main.py", "");
  options.env = {"A=1", "B=x=y", "C="};
  options.labels = {"team=core"};
  options.output_paths = {"out.txt"};
  options.output_overflow = "kill";
  const auto request = BuildRequest(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->env().at("A"), "1");
  EXPECT_EQ(request->env().at("B"), "x=y");
  EXPECT_EQ(request->env().at("C"), "");
  EXPECT_EQ(request->labels().at("team"), "core");
  EXPECT_EQ(request->output_paths(0), "out.txt");
  EXPECT_EQ(request->output_overflow(), v1::OUTPUT_OVERFLOW_KILL);
}

TEST_F(RunRequestTest, PairsWithoutANameAreWrongUsage) {
  RunOptions options;
  options.main_file = Write("main.py", "");
  for (const char* text : {"A", "=1", ""}) {
    options.env = {text};
    EXPECT_TRUE(absl::IsInvalidArgument(BuildRequest(options).status())) << text;
  }
}

TEST(ParseLimitTest, NumbersAndByteSuffixesAreTaken) {
  v1::Limits limits;
  ASSERT_TRUE(ParseLimit("wall_time_ms=1000", limits).ok());
  ASSERT_TRUE(ParseLimit("memory_bytes=64M", limits).ok());
  ASSERT_TRUE(ParseLimit("disk_bytes=1G", limits).ok());
  ASSERT_TRUE(ParseLimit("pids=0", limits).ok());
  EXPECT_EQ(limits.wall_time_ms(), 1000U);
  EXPECT_EQ(limits.memory_bytes(), 64U << 20U);
  EXPECT_EQ(limits.disk_bytes(), 1U << 30U);
  EXPECT_TRUE(limits.has_pids());  // the server refuses 0, not the command line
  EXPECT_FALSE(limits.has_open_files());
}

TEST(ParseLimitTest, EverythingElseIsWrongUsage) {
  v1::Limits limits;
  for (const char* text :
       {"wall_time=1", "wall_time_ms", "wall_time_ms=", "wall_time_ms=-1", "wall_time_ms=1s",
        "wall_time_ms=1K", "memory_bytes=1MB", "memory_bytes=1m", "memory_bytes=1.5G", "pids= 1",
        "memory_bytes=99999999999999999999", "memory_bytes=99999999999999999G"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseLimit(text, limits))) << text;
  }
  EXPECT_EQ(limits.ByteSizeLong(), 0U);
}

TEST(ParseLimitTest, UnknownNameListsTheChoices) {
  v1::Limits limits;
  const std::string message = Message(ParseLimit("memory=1", limits));
  EXPECT_NE(message.find("memory_bytes"), std::string::npos) << message;
}

TEST(BoxPathTest, OnlyPathsThatStayInsideKeepTheirDirectories) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"input.txt", "input.txt"},    {"./input.txt", "input.txt"}, {"data/a/in.csv", "data/a/in.csv"},
      {"data/../in.csv", "in.csv"},  {"../in.csv", "in.csv"},      {"a/../../in.csv", "in.csv"},
      {"/etc/hostname", "hostname"},
  };
  for (const auto& [path, expected] : rows) {
    EXPECT_EQ(BoxPath(path), expected) << path;
  }
}

std::vector<v1::Profile> Profiles() {
  std::vector<v1::Profile> profiles(2);
  profiles[0].set_name("native");
  profiles[1].set_name("python");
  profiles[1].set_file_extension(".py");
  return profiles;
}

TEST(GuessProfileTest, ExtensionNamesTheProfile) {
  const auto profile = GuessProfile("dir/main.py", Profiles());
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(profile->name(), "python");
}

TEST(GuessProfileTest, UnknownExtensionNamesTheChoices) {
  for (const char* file : {"a.out", "main", "main.PY", ".py"}) {
    const absl::Status status = GuessProfile(file, Profiles()).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << file;
    EXPECT_NE(Message(status).find("native and python (.py)"), std::string::npos) << status;
  }
}

TEST(GuessProfileTest, TwoProfilesOfOneExtensionAreNotGuessedBetween) {
  std::vector<v1::Profile> profiles = Profiles();
  profiles.push_back(profiles[1]);
  EXPECT_TRUE(absl::IsInvalidArgument(GuessProfile("main.py", profiles).status()));
}

TEST(GuessProfileTest, AVariantIsNeverGuessed) {
  std::vector<v1::Profile> profiles = Profiles();
  profiles.push_back(profiles[1]);
  profiles.back().set_name("python-next");
  profiles.back().set_variant_of("python");
  const auto profile = GuessProfile("main.py", profiles);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(profile->name(), "python");
  const absl::Status choices = GuessProfile("main", profiles).status();
  EXPECT_NE(Message(choices).find("native and python (.py)"), std::string::npos) << choices;
}

}  // namespace
}  // namespace caisson::cli
