#include "common/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "common/status.h"

namespace caisson {
namespace {

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "caisson-files-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Create(const std::string& name, const std::string& content) const {
    const absl::StatusOr<UniqueFd> fd = OpenFile(Path(name), O_WRONLY | O_CREAT | O_EXCL, 0600);
    ASSERT_TRUE(fd.ok()) << fd.status();
    ASSERT_EQ(write(fd->get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  }

  std::string folder_;
};

TEST_F(FilesTest, FilesUpToTheBoundAreReadWhole) {
  for (const size_t size : {0UL, 1UL, 4095UL, 4096UL, 4097UL, 100000UL}) {
    const std::string name = "f" + std::to_string(size);
    Create(name, std::string(size, 'x'));
    const absl::StatusOr<std::string> text = ReadFile(Path(name), size);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, std::string(size, 'x'));
  }
}

TEST_F(FilesTest, ALongerFileIsAnErrorAndNotCut) {
  Create("long", std::string(101, 'x'));
  EXPECT_EQ(ReadFile(Path("long"), 100).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(FilesTest, FilesWithoutASizeAreRead) {
  const absl::StatusOr<std::string> text = ReadFile("/proc/self/status");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_NE(text->find("NoNewPrivs:"), std::string::npos);
}

TEST_F(FilesTest, ErrorsNameTheFileAndTheReason) {
  EXPECT_EQ(Message(ReadFile("/nonexistent/x").status()), "open /nonexistent/x: No such file or directory");
  EXPECT_EQ(ReadFile("/nonexistent/x").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FilesTest, NamesAreRelativeToTheirDirectory) {
  Create("a", "");
  const absl::StatusOr<UniqueFd> directory = OpenFile(folder_, O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(directory.ok()) << directory.status();
  ASSERT_TRUE(WriteFileAt(directory->get(), "a", "42\n").ok());
  const absl::StatusOr<std::string> text = ReadFileAt(directory->get(), "a");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "42\n");
}

TEST_F(FilesTest, WritingNeverCreates) {
  EXPECT_EQ(WriteFile(Path("new"), "x").code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(Path("new")));
}

TEST_F(FilesTest, OpenedFilesAreCloseOnExec) {
  const absl::StatusOr<UniqueFd> fd = OpenFile("/dev/null", O_RDONLY);
  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_EQ(fcntl(fd->get(), F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace caisson
