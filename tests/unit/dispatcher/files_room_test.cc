#include "dispatcher/files_room.h"

#include <gtest/gtest.h>

namespace caisson::dispatcher {
namespace {

policy::Limits Room(uint64_t disk_bytes, uint64_t inodes) {
  policy::Limits limits = policy::StandardRunLimits().defaults;
  limits.Set(policy::LimitId::kDiskBytes, disk_bytes);
  limits.Set(policy::LimitId::kInodeCount, inodes);
  return limits;
}

TEST(FilesRoomTest, FilesTakeWholePages) {
  EXPECT_TRUE(CheckFilesRoom({{"a", 1}, {"b", 4096}}, Room(8192, 2)).empty());
  const auto violations = CheckFilesRoom({{"a", 1}, {"b", 4097}}, Room(8192, 2));
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].field, "limits.disk_bytes");
  EXPECT_EQ(violations[0].description,
            "the files of the request alone need at least 12288 bytes, and 8192 are allowed");
}

TEST(FilesRoomTest, EveryDirectoryIsAnInodeOnce) {
  const std::vector<FileSize> files = {{"a/b/c", 0}, {"a/b/d", 0}, {"a/e", 0}};
  EXPECT_TRUE(CheckFilesRoom(files, Room(1, 5)).empty());
  const auto violations = CheckFilesRoom(files, Room(1, 4));
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].field, "limits.inode_count");
  EXPECT_EQ(violations[0].description,
            "the files of the request alone need at least 5 files and directories, and 4 are allowed");
}

TEST(FilesRoomTest, EmptyFilesTakeNoSpace) { EXPECT_TRUE(CheckFilesRoom({{"a", 0}}, Room(1, 1)).empty()); }

}  // namespace
}  // namespace caisson::dispatcher
