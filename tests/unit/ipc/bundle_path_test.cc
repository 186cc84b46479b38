#include "ipc/bundle_path.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status.h"
#include "ipc/run_streams.h"

namespace caisson::ipc {
namespace {

using std::string_literals::operator""s;

std::string Reason(const std::string& path) {
  const absl::Status status = CheckBundlePath(path);
  return status.ok() ? "accepted" : Message(status);
}

std::string Components(size_t count) {
  std::string path = "a";
  for (size_t i = 1; i < count; ++i) {
    path += "/a";
  }
  return path;
}

TEST(BundlePathTest, RelativePathsAreAccepted) {
  for (const char* path :
       {"main.py", "src/lib/a.h", "...", "..a", "a..", ".hidden", "with space", "n\xc3\xa4he"}) {
    EXPECT_EQ(Reason(path), "accepted") << path;
  }
}

TEST(BundlePathTest, PathsThatLeaveTheWorkDirectoryAreRefused) {
  EXPECT_EQ(Reason("/etc/passwd"), "is absolute");
  EXPECT_EQ(Reason("/"), "is absolute");
  for (const char* path : {"..", "../a", "a/..", "a/../b"}) {
    EXPECT_EQ(Reason(path), "has a '..' component") << path;
  }
}

TEST(BundlePathTest, PathsWithASecondSpellingAreRefused) {
  for (const char* path : {".", "./a", "a/.", "a/./b"}) {
    EXPECT_EQ(Reason(path), "has a '.' component") << path;
  }
  for (const char* path : {"a/", "a//b"}) {
    EXPECT_EQ(Reason(path), "has an empty component") << path;
  }
  EXPECT_EQ(Reason(""), "is empty");
}

TEST(BundlePathTest, BytesThatNoPathShouldHaveAreRefused) {
  EXPECT_EQ(Reason("a\0b"s), "contains a NUL byte");
  EXPECT_EQ(Reason("a\xff"), "is not valid UTF-8");
}

TEST(BundlePathTest, LengthsAreBounded) {
  const std::string component(kMaxPathComponentBytes, 'a');
  EXPECT_EQ(Reason(component), "accepted");
  EXPECT_EQ(Reason(component + "a"), "has a component longer than 255 bytes");
  EXPECT_EQ(Reason(Components(wire::kMaxPathComponents)), "accepted");
  EXPECT_EQ(Reason(Components(wire::kMaxPathComponents + 1)), "has more than 64 components");
  const std::string full = component + "/" + component + "/" + component + "/" + component + "/";
  ASSERT_EQ(full.size(), wire::kMaxPathBytes);
  EXPECT_EQ(Reason(full.substr(0, full.size() - 1)), "accepted");
  EXPECT_EQ(Reason(full + "a"), "is longer than 1024 bytes");
}

}  // namespace
}  // namespace caisson::ipc
