// Where returned files may go: the paths are a hostile program's.
#include "cli/output_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/status.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

class OutputDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "caisson-outputs-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    fs::create_directory(root_ / "out");
  }
  void TearDown() override { fs::remove_all(root_); }

  OutputDirectory Open(OutputDirectory::Existing existing = OutputDirectory::Existing::kKeep) const {
    absl::StatusOr<OutputDirectory> opened = OutputDirectory::Open((root_ / "out").string(), existing);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  static v1::OutputFile Piece(const std::string& path, const std::string& data, uint64_t offset,
                              uint64_t size, bool executable = false) {
    v1::OutputFile piece;
    piece.set_path(path);
    piece.set_data(data);
    piece.set_offset(offset);
    piece.set_size_bytes(size);
    piece.set_executable(executable);
    return piece;
  }
  static v1::OutputFile Whole(const std::string& path, const std::string& data) {
    return Piece(path, data, 0, data.size());
  }
  std::string Read(const fs::path& path) const {
    std::ifstream file(root_ / path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // How many entries there are below `out`, of any kind.
  size_t Entries() const {
    return static_cast<size_t>(std::distance(fs::recursive_directory_iterator(root_ / "out"), {}));
  }

  fs::path root_;
};

TEST_F(OutputDirectoryTest, PiecesBecomeOneFileInItsDirectories) {
  OutputDirectory outputs = Open();
  EXPECT_TRUE(outputs.Accept(Piece("a/b/c.txt", "one ", 0, 7)).ok());
  EXPECT_FALSE(fs::exists(root_ / "out/a/b/c.txt")) << "a file appears when it is complete";
  EXPECT_TRUE(outputs.Accept(Piece("a/b/c.txt", "two", 4, 7)).ok());
  EXPECT_EQ(Read("out/a/b/c.txt"), "one two");
  EXPECT_TRUE(outputs.Accept(Whole("empty", "")).ok());
  EXPECT_EQ(fs::file_size(root_ / "out/empty"), 0U);
}

TEST_F(OutputDirectoryTest, TheExecutableBitTravelsAndNothingElseOfTheMode) {
  OutputDirectory outputs = Open();
  EXPECT_TRUE(outputs.Accept(Piece("run", "x", 0, 1, true)).ok());
  EXPECT_TRUE(outputs.Accept(Whole("data", "x")).ok());
  EXPECT_EQ(access((root_ / "out/run").c_str(), X_OK), 0);
  struct stat info {};
  ASSERT_EQ(stat((root_ / "out/data").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07111U, 0U);
}

TEST_F(OutputDirectoryTest, PathsThatLeadElsewhereAreRefused) {
  OutputDirectory outputs = Open();
  for (const char* path :
       {"", "/etc/passwd", "../up", "a/../../up", "a/./b", "a//b", "a/", "..", ".", "a\nb", "a\x1b[2J"}) {
    EXPECT_FALSE(outputs.Accept(Whole(path, "x")).ok()) << path;
  }
  EXPECT_EQ(Entries(), 0U);
  EXPECT_FALSE(fs::exists(root_ / "up"));
}

TEST_F(OutputDirectoryTest, ALinkOnTheWayIsNotFollowed) {
  fs::create_directory(root_ / "elsewhere");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "out/link");
  OutputDirectory outputs = Open(OutputDirectory::Existing::kReplace);
  const absl::Status status = outputs.Accept(Whole("link/file", "x"));
  EXPECT_NE(Message(status).find("a link or a file is in the way"), std::string::npos) << status;
  EXPECT_TRUE(fs::is_empty(root_ / "elsewhere"));
}

TEST_F(OutputDirectoryTest, ALinkAtItsPlaceIsReplacedNotFollowed) {
  std::ofstream(root_ / "target") << "mine";
  fs::create_symlink(root_ / "target", root_ / "out/file");
  EXPECT_FALSE(Open().Accept(Whole("file", "x")).ok());
  EXPECT_TRUE(Open(OutputDirectory::Existing::kReplace).Accept(Whole("file", "x")).ok());
  EXPECT_EQ(Read("target"), "mine");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(root_ / "out/file")));
}

TEST_F(OutputDirectoryTest, NothingIsOverwrittenWithoutForce) {
  std::ofstream(root_ / "out/file") << "mine";
  OutputDirectory keeping = Open();
  const absl::Status status = keeping.Accept(Whole("file", "x"));
  EXPECT_NE(Message(status).find("out/file exists already; --force replaces it"), std::string::npos)
      << status;
  EXPECT_EQ(Read("out/file"), "mine");
  EXPECT_TRUE(keeping.Accept(Whole("next", "y")).ok()) << "one failure does not stop the others";
  EXPECT_TRUE(Open(OutputDirectory::Existing::kReplace).Accept(Whole("file", "x")).ok());
  EXPECT_EQ(Read("out/file"), "x");
}

TEST_F(OutputDirectoryTest, AFileThatWasCutOffLeavesNothing) {
  {
    OutputDirectory outputs = Open();
    EXPECT_TRUE(outputs.Accept(Piece("cut", "half", 0, 8)).ok());
    EXPECT_TRUE(outputs.Accept(Piece("other", "half", 0, 8)).ok());
    EXPECT_EQ(Entries(), 1U);
  }
  EXPECT_EQ(Entries(), 0U);
}

TEST_F(OutputDirectoryTest, AFileThatIsGivenUpLeavesNothing) {
  OutputDirectory outputs = Open();
  EXPECT_TRUE(outputs.Accept(Piece("cut", "half", 0, 8)).ok());
  EXPECT_EQ(Entries(), 1U);
  outputs.DropIncomplete();
  EXPECT_EQ(Entries(), 0U);
  EXPECT_TRUE(outputs.Accept(Whole("next", "x")).ok());
  EXPECT_EQ(Read("out/next"), "x");
}

TEST_F(OutputDirectoryTest, MoreThanTheSizeIsRefused) {
  OutputDirectory outputs = Open();
  EXPECT_FALSE(outputs.Accept(Piece("file", "12345", 0, 4)).ok());
  EXPECT_EQ(Entries(), 0U);
}

TEST_F(OutputDirectoryTest, ADirectoryThatCannotBeUsedIsSaidAtTheStart) {
  std::ofstream(root_ / "file") << "x";
  EXPECT_TRUE(absl::IsInvalidArgument(
      OutputDirectory::Open((root_ / "file").string(), OutputDirectory::Existing::kKeep).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      OutputDirectory::Open((root_ / "no/such").string(), OutputDirectory::Existing::kKeep).status()));
}

}  // namespace
}  // namespace caisson::cli
