// An image holds what its profile shows, and nothing that the host brought along.
#include "cli/image_contents.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "common/status.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

class ImageContentsTest : public testing::Test {
 protected:
  ImageContentsTest() {
    std::string name = (fs::temp_directory_path() / "caisson-contents-XXXXXX").string();
    top_ = mkdtemp(name.data());
    for (const char* directory :
         {"root/usr/bin", "root/usr/lib/x", "root/etc/alternatives", "root/var/lib/dpkg", "tree"}) {
      fs::create_directories(top_ / directory);
    }
    for (const char* file :
         {"root/usr/bin/tool", "root/usr/lib/x/y", "root/etc/hostname", "root/etc/resolv.conf",
          "root/etc/alternatives/a", "root/var/lib/dpkg/status", "root/var/lib/dpkg/available"}) {
      std::ofstream(top_ / file) << file;
    }
    fs::create_symlink("usr/bin", top_ / "root/bin");
    fs::create_symlink("usr/lib", top_ / "root/lib");
  }
  ~ImageContentsTest() override { fs::remove_all(top_); }

  std::string Root() const { return top_ / "root"; }
  std::string Tree() const { return top_ / "tree"; }
  // Everything in the tree but directories.
  std::set<std::string> Contents() const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(top_ / "tree")) {
      if (entry.is_symlink() || !entry.is_directory()) {
        found.insert(entry.path().lexically_relative(top_ / "tree"));
      }
    }
    return found;
  }
  fs::path top_;
};

TEST_F(ImageContentsTest, OnlyWhatWasNamedIsTaken) {
  const absl::Status taken = TakeContents(Root(), {"/etc/alternatives", "/etc/localtime", "/usr"}, Tree());
  ASSERT_TRUE(taken.ok()) << Message(taken);
  EXPECT_EQ(Contents(), (std::set<std::string>{"bin", "lib", "etc/alternatives/a", "usr/bin/tool",
                                               "usr/lib/x/y", "var/lib/dpkg/status"}));
}

TEST_F(ImageContentsTest, APathThroughALinkIsTakenWhereItReallyLies) {
  ASSERT_TRUE(TakeContents(Root(), {"/lib/x/y", "/usr"}, Tree()).ok());
  EXPECT_TRUE(Contents().contains("usr/lib/x/y"));
  EXPECT_TRUE(Contents().contains("usr/bin/tool"));
}

TEST_F(ImageContentsTest, ALinkIsTakenAsALinkAndNeverLeadsOutside) {
  fs::create_symlink("/etc/passwd", top_ / "root/etc/mine");
  fs::create_directory_symlink("/etc", top_ / "root/outside");
  ASSERT_TRUE(TakeContents(Root(), {"/etc/mine", "/outside/passwd", "/../etc/hostname"}, Tree()).ok());
  EXPECT_TRUE(fs::is_symlink(top_ / "tree/etc/mine"));
  EXPECT_FALSE(Contents().contains("etc/passwd")) << "the host's";
  EXPECT_TRUE(fs::exists("/etc/passwd"));
  EXPECT_TRUE(Contents().contains("etc/hostname")) << "the root's own, as /.. is its root";
}

TEST_F(ImageContentsTest, BitsThatRaiseAndSpecialFilesAreTakenAway) {
  const fs::path tool = top_ / "tree/usr/tool";
  fs::create_directories(tool.parent_path());
  std::ofstream(tool) << "x";
  ASSERT_EQ(chmod(tool.c_str(), 06755), 0);
  ASSERT_EQ(mkfifo((top_ / "tree/usr/fifo").c_str(), 0644), 0);
  fs::create_symlink("/etc/passwd", top_ / "tree/usr/link");
  ASSERT_TRUE(StripContents(Tree()).ok());
  struct stat info {};
  ASSERT_EQ(stat(tool.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0755U);
  EXPECT_EQ(Contents(), (std::set<std::string>{"usr/tool", "usr/link"}));
}

TEST_F(ImageContentsTest, TheFinalNameOfAProgramIsLookedForInTheRoot) {
  fs::create_symlink("/usr/bin/tool", top_ / "root/usr/bin/alias");
  EXPECT_EQ(FinalName(Root(), "/bin/alias").value(), "tool");
  EXPECT_TRUE(absl::IsNotFound(FinalName(Root(), "/usr/bin/absent").status()));
}

}  // namespace
}  // namespace caisson::cli
