#include "common/contained_path.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace caisson {
namespace {

TEST(ContainedPathTest, PathsBelowTheDirectoryAreContained) {
  for (const std::string_view path : {"a", "a/b", "...", "..a/b.", ".a", "a b/\xff", "a\\b"}) {
    EXPECT_TRUE(IsContainedPath(path)) << path;
  }
}

TEST(ContainedPathTest, PathsThatLeadElsewhereAreNot) {
  for (const std::string_view path :
       {"", "/", "/a", "a/", "a//b", ".", "./a", "a/.", "..", "../a", "a/..", "a/../b"}) {
    EXPECT_FALSE(IsContainedPath(path)) << path;
  }
  EXPECT_FALSE(IsContainedPath(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace caisson
