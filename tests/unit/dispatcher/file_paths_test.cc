#include "dispatcher/file_paths.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace caisson::dispatcher {
namespace {

std::vector<std::string> ViolatedFields(const std::vector<std::string_view>& paths) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : CheckFilePaths(paths)) {
    fields.push_back(violation.field);
  }
  return fields;
}

TEST(FilePathsTest, OrdinaryTreeIsFine) {
  EXPECT_TRUE(CheckFilePaths({"main.py", "lib/a.py", "lib/b.py", "lib.py", "lib-x/a"}).empty());
}

TEST(FilePathsTest, EveryBadPathIsNamed) {
  const std::string with_nul("a\0b", 3);
  const std::string too_long(1025, 'a');
  EXPECT_EQ(
      ViolatedFields({"/etc/passwd", "../x", "a/../b", "", "a//b", "./a", with_nul, too_long, "a\xff", "ok"}),
      (std::vector<std::string>{"files[0].path", "files[1].path", "files[2].path", "files[3].path",
                                "files[4].path", "files[5].path", "files[6].path", "files[7].path",
                                "files[8].path"}));
}

TEST(FilePathsTest, TheSamePathTwiceIsRefused) {
  const auto violations = CheckFilePaths({"a", "b", "a"});
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].field, "files[2].path");
  EXPECT_EQ(violations[0].description, "is the same as files[0].path");
}

TEST(FilePathsTest, AFileCannotBeADirectoryOfAnother) {
  EXPECT_EQ(ViolatedFields({"a", "a/b"}), std::vector<std::string>{"files[1].path"});
  // "a.x" and "a-" sort between "a" and "a/b".
  EXPECT_EQ(ViolatedFields({"a/b/c", "a-", "a.x", "a/b"}), std::vector<std::string>{"files[0].path"});
}

}  // namespace
}  // namespace caisson::dispatcher
