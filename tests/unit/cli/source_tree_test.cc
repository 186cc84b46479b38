#include "cli/source_tree.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/status.h"

namespace caisson::cli {
namespace {

class SourceTreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(top_.data()), nullptr);
    tree_ = top_ + "/tree";
    std::filesystem::create_directory(tree_);
    std::ofstream(top_ + "/secret") << "the host's";
  }
  void TearDown() override { std::filesystem::remove_all(top_); }

  void Write(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = std::filesystem::path(tree_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
  void Link(const std::string& name, const std::string& target) const {
    std::filesystem::create_symlink(target, std::filesystem::path(tree_) / name);
  }

  absl::StatusOr<std::vector<SourceFile>> Read(SourceTreeBounds bounds = {.files = 100,
                                                                          .bytes = 1000}) const {
    return ReadSourceTree(tree_, bounds);
  }
  // "path=content" of each, or the complaint.
  std::string Text() const {
    const auto files = Read();
    if (!files.ok()) {
      return Message(files.status());
    }
    std::string text;
    for (const SourceFile& file : *files) {
      text += (text.empty() ? "" : " ") + file.path + "=" + file.content;
    }
    return text;
  }

  std::string top_ = "/tmp/caisson-source-tree-test-XXXXXX";
  std::string tree_;
};

TEST_F(SourceTreeTest, FilesComeInOrderWithTheirModes) {
  Write("b", "2");
  Write("a/z", "1");
  Write("a/tool", "#!");
  std::filesystem::permissions(tree_ + "/a/tool", std::filesystem::perms::owner_all);
  std::filesystem::create_directory(tree_ + "/empty");
  EXPECT_EQ(Text(), "a/tool=#! a/z=1 b=2");
  const auto files = Read();
  ASSERT_EQ(files->size(), 3U);
  EXPECT_TRUE(files->at(0).executable);
  EXPECT_FALSE(files->at(1).executable);
}

TEST_F(SourceTreeTest, WhatIsIgnoredIsNotLookedAt) {
  Write(".caissonignore", "build/\n*.o\nsecret\n");
  Write("build/a", "x");
  Write("src/a.o", "x");
  Write("src/a.c", "c");
  Write(".git/config", "x");
  Link("secret", "/etc/passwd");
  ASSERT_EQ(mkfifo((tree_ + "/pipe.o").c_str(), 0600), 0);
  EXPECT_EQ(Text(), ".caissonignore=build/\n*.o\nsecret\n src/a.c=c");
}

TEST_F(SourceTreeTest, LinkInsideIsReadAsTheFileItNames) {
  Write("real", "content");
  std::filesystem::create_directory(tree_ + "/sub");
  Link("sub/link", "../real");
  EXPECT_EQ(Text(), "real=content sub/link=content");
}

TEST_F(SourceTreeTest, NoLinkIsFollowedOutOfTheDirectory) {
  Write("file", "x");
  std::filesystem::create_directory(tree_ + "/sub");
  Link("absolute", "/etc/passwd");
  Link("up", "../secret");
  Link("through", "sub/../../../etc/passwd");
  Link("process", "/proc/self/exe");
  EXPECT_EQ(Text(),
            "cannot be sent: absolute is a link that leads out of the directory, process is a link that "
            "leads out of "
            "the directory, through is a link that leads out of the directory and up is a link that leads "
            "out of the "
            "directory; .caissonignore can leave out what is not needed");
}

// A stranger's link is not the user's word that what it names may go.
TEST_F(SourceTreeTest, NoLinkBringsBackWhatIsLeftOut) {
  Write(".caissonignore", "*.env\n/private/\n");
  Write(".git/config", "token");
  Write("deep/secret.env", "token");
  Write("private/below/key", "token");
  Link("a", ".git/config");
  Link("b", "deep/secret.env");
  Link("c", "private/below/key");
  Link("d", "a");
  Link("folder", "private");
  Link("e", "folder/below/key");
  EXPECT_EQ(
      Text(),
      "cannot be sent: a is a link to what is left out, b is a link to what is left out, c is a link "
      "to what is left out, d is a link to what is left out, e is a link to what is left out and folder is a "
      "link to a directory; .caissonignore can leave out what is not needed");
}

TEST_F(SourceTreeTest, TheTopMayItselfBeReachedByALink) {
  Write("real", "content");
  Link("link", "real");
  std::filesystem::create_directory_symlink(tree_, top_ + "/way");
  const auto files = ReadSourceTree(top_ + "/way", {.files = 100, .bytes = 1000});
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->size(), 2U);
}

TEST_F(SourceTreeTest, WhatIsNoOrdinaryFileIsNamed) {
  std::filesystem::create_directory(tree_ + "/sub");
  ASSERT_EQ(mkfifo((tree_ + "/pipe").c_str(), 0600), 0);
  Link("circle", "circle");
  Link("dangling", "nowhere");
  Link("folder", "sub");
  Link("piped", "pipe");
  EXPECT_EQ(
      Text(),
      "cannot be sent: circle is a link that cannot be followed (Too many levels of symbolic links), "
      "dangling is a "
      "link that cannot be followed (No such file or directory), folder is a link to a directory, pipe is "
      "neither a file nor a directory and piped is a link to no ordinary file; .caissonignore can leave out "
      "what "
      "is not needed");
}

TEST_F(SourceTreeTest, NoMoreThanTenAreNamed) {
  for (int n = 0; n < 12; ++n) {
    Link("l" + std::to_string(n), "nowhere");
  }
  EXPECT_NE(Text().find(" and 2 more; "), std::string::npos) << Text();
}

TEST_F(SourceTreeTest, NameThatIsNoTextIsRefused) {
  Write("a\xff", "x");
  EXPECT_NE(Text().find("has a name that is not valid UTF-8"), std::string::npos) << Text();
}

TEST_F(SourceTreeTest, DepthIsBounded) {
  std::string path;
  for (int depth = 0; depth < 70; ++depth) {
    path += "d/";
  }
  Write(path + "f", "x");
  EXPECT_NE(Text().find("lies too deep"), std::string::npos) << Text();
}

TEST_F(SourceTreeTest, BoundsHoldExactly) {
  Write("a", "12345");
  Write("b", "67890");
  EXPECT_TRUE(Read({.files = 2, .bytes = 10}).ok());
  const auto too_many = Read({.files = 1, .bytes = 10});
  EXPECT_EQ(Message(too_many.status()),
            "the directory has more than the 1 files a request may have; .caissonignore can leave some out");
  const auto too_large = Read({.files = 2, .bytes = 9});
  EXPECT_TRUE(absl::IsResourceExhausted(too_large.status()));
  EXPECT_NE(Message(too_large.status()).find("the files up to b are larger than"), std::string::npos)
      << too_large.status();
}

TEST_F(SourceTreeTest, IgnoreFileThatLeadsOutIsNotRead) {
  Link(".caissonignore", "/etc/passwd");
  EXPECT_EQ(Text(), "open .caissonignore: Invalid cross-device link");
}

TEST_F(SourceTreeTest, MissingDirectorySaysSo) {
  std::filesystem::remove(tree_);
  EXPECT_EQ(Text(), "open " + tree_ + ": No such file or directory");
}

}  // namespace
}  // namespace caisson::cli
