#include "policy/trusted_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "policy_support.h"

namespace caisson::policy {
namespace {

absl::StatusOr<std::string> Read(const std::string& path, FileTrust trust = FileTrust::kRequireRootOwned) {
  return ReadTrustedFile(AT_FDCWD, path, "F", trust);
}

TEST(TrustedFileTest, RootsOwnFileIsRead) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("a", "text");
  if (geteuid() == 0) {
    const auto text = Read(file);
    ASSERT_TRUE(text.ok()) << Message(text.status());
    EXPECT_EQ(*text, "text");
  } else {
    EXPECT_EQ(Message(Read(file).status()),
              "F:1: file: belongs to uid " + std::to_string(geteuid()) + ", must be root's");
  }
  EXPECT_EQ(*Read(file, FileTrust::kAnyOwner), "text");
}

TEST(TrustedFileTest, LooseModesAreRefused) {
  if (geteuid() != 0) {
    // Somebody else's file is refused for its owner before its mode is looked at.
    EXPECT_FALSE(Read(TemporaryDirectory().Write("a", "x", 0666)).ok());
    return;
  }
  const TemporaryDirectory directory;
  EXPECT_EQ(Message(Read(directory.Write("g", "x", 0664)).status()),
            "F:1: file: mode 0664 lets others write; take away with chmod go-w");
  EXPECT_EQ(Message(Read(directory.Write("o", "x", 0602)).status()),
            "F:1: file: mode 0602 lets others write; take away with chmod go-w");
  EXPECT_TRUE(Read(directory.Write("g", "x", 0644)).ok());
}

TEST(TrustedFileTest, OtherOwnersAreRefused) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("a", "x");
  if (geteuid() == 0) {
    ASSERT_EQ(chown(file.c_str(), 1234, 0), 0);
    EXPECT_EQ(Message(Read(file).status()), "F:1: file: belongs to uid 1234, must be root's");
  } else {
    EXPECT_FALSE(Read(file).ok());
  }
}

TEST(TrustedFileTest, LinksAreNotFollowed) {
  const TemporaryDirectory directory;
  directory.Write("a", "x");
  const std::string link = directory.path() + "/link";
  std::filesystem::create_symlink("a", link);
  EXPECT_EQ(Message(Read(link, FileTrust::kAnyOwner).status()), "F:1: file: is a symbolic link");
  const std::string directory_link = directory.path() + "/dirlink";
  std::filesystem::create_directory_symlink(directory.path(), directory_link);
  EXPECT_FALSE(OpenTrustedDirectory(directory_link, FileTrust::kAnyOwner).ok());
}

TEST(TrustedFileTest, OnlyRegularFilesAreRead) {
  const TemporaryDirectory directory;
  const std::string fifo = directory.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(Message(Read(fifo, FileTrust::kAnyOwner).status()), "F:1: file: is not a regular file");
  EXPECT_EQ(Message(Read(directory.path(), FileTrust::kAnyOwner).status()),
            "F:1: file: is not a regular file");
}

TEST(TrustedFileTest, HugeFilesAreRefused) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("a", "");
  ASSERT_EQ(truncate(file.c_str(), 1 << 30), 0);
  EXPECT_EQ(Message(Read(file, FileTrust::kAnyOwner).status()), "F:1: file: is larger than 1048576 bytes");
}

TEST(TrustedFileTest, AbsentFilesAreNotFound) {
  EXPECT_EQ(Read("/nonexistent/f").status().code(), absl::StatusCode::kNotFound);
}

TEST(TrustedFileTest, DirectoriesAreCheckedLikeFiles) {
  const TemporaryDirectory directory;
  ASSERT_EQ(chmod(directory.path().c_str(), 0777), 0);
  const auto opened = OpenTrustedDirectory(directory.path(), FileTrust::kRequireRootOwned);
  ASSERT_FALSE(opened.ok());
  if (geteuid() == 0) {
    EXPECT_EQ(Message(opened.status()),
              directory.path() + ":1: directory: mode 0777 lets others write; take away with chmod go-w");
  }
  EXPECT_TRUE(OpenTrustedDirectory(directory.path(), FileTrust::kAnyOwner).ok());
}

}  // namespace
}  // namespace caisson::policy
