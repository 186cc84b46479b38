#include "cli/ignore_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::cli {
namespace {

using Kind = IgnoreRules::Kind;

struct Row {
  const char* rules;
  const char* path;
  Kind kind;
  bool ignored;
};

// What `git check-ignore` says of the same lines.
constexpr Row kRows[] = {
    {"*.o", "a.o", Kind::kFile, true},
    {"*.o", "deep/down/a.o", Kind::kFile, true},
    {"*.o", "a.c", Kind::kFile, false},
    {"build", "build", Kind::kDirectory, true},
    {"build", "src/build", Kind::kFile, true},
    {"build/", "build", Kind::kDirectory, true},
    {"build/", "build", Kind::kFile, false},
    {"/build", "build", Kind::kDirectory, true},
    {"/build", "src/build", Kind::kDirectory, false},
    {"src/*.o", "src/a.o", Kind::kFile, true},
    {"src/*.o", "src/deep/a.o", Kind::kFile, false},
    {"src/*.o", "top/src/a.o", Kind::kFile, false},
    {"**/logs", "logs", Kind::kDirectory, true},
    {"**/logs", "a/b/logs", Kind::kDirectory, true},
    {"a/**/z", "a/z", Kind::kFile, true},
    {"a/**/z", "a/b/c/z", Kind::kFile, true},
    {"a/**/z", "b/a/z", Kind::kFile, false},
    {"logs/**", "logs", Kind::kDirectory, false},
    {"logs/**", "logs/a", Kind::kFile, true},
    {"logs/**", "logs/a/b", Kind::kFile, true},
    {"*.log\n!keep.log", "keep.log", Kind::kFile, false},
    {"*.log\n!keep.log", "other.log", Kind::kFile, true},
    {"!keep.log\n*.log", "keep.log", Kind::kFile, true},
    {"# comment\n\n  \n", "# comment", Kind::kFile, false},
    {"\\#name", "#name", Kind::kFile, true},
    {"\\!name", "!name", Kind::kFile, true},
    {"name  \r", "name", Kind::kFile, true},
    {"name\\ ", "name ", Kind::kFile, true},
    {"[ab].txt", "a.txt", Kind::kFile, true},
    {"[ab].txt", "c.txt", Kind::kFile, false},
    {"?.txt", "ab.txt", Kind::kFile, false},
    {"/", "a", Kind::kFile, false},
    {"!", "a", Kind::kFile, false},
};

TEST(IgnoreRulesTest, PatternsMeanWhatTheyMeanToGit) {
  for (const Row& row : kRows) {
    EXPECT_EQ(IgnoreRules(row.rules).Ignores(row.path, row.kind), row.ignored)
        << '"' << row.rules << "\" and " << row.path;
  }
}

TEST(IgnoreRulesTest, GitsOwnDirectoryIsLeftOutUnlessTakenBack) {
  EXPECT_TRUE(IgnoreRules("").Ignores(".git", Kind::kDirectory));
  EXPECT_TRUE(IgnoreRules("").Ignores("module/.git", Kind::kFile));
  EXPECT_FALSE(IgnoreRules("").Ignores(".gitignore", Kind::kFile));
  EXPECT_FALSE(IgnoreRules("!.git/").Ignores(".git", Kind::kDirectory));
}

// A recursion would take longer than the universe has.
TEST(IgnoreRulesTest, ManyStarsEnd) {
  std::string rule;
  std::string path;
  for (int depth = 0; depth < 60; ++depth) {
    rule += "**/a/";
    path += "a/";
  }
  EXPECT_FALSE(IgnoreRules(rule + "b").Ignores(path + "c", Kind::kFile));
}

}  // namespace
}  // namespace caisson::cli
