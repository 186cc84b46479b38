// The stub's reader of the client's bundle: every byte of it may be an attacker's.
#include "sandbox/init/bundle_reader.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "raw_bundle.h"

namespace caisson::init {
namespace {

TEST(BundleReaderTest, RecordsComeInTheirOrder) {
  RawBundle bundle;
  bundle.Record(wire::BundleRecord::kMainFile, "a.py")
      .Record(wire::BundleRecord::kFile, "a.py", "print(1)")
      .Record(wire::BundleRecord::kArgument, "x");
  BundleReader reader = bundle.Reader();
  BundleItem item{};
  ASSERT_TRUE(reader.Next(item));
  EXPECT_STREQ(item.name, "a.py");
  ASSERT_TRUE(reader.Next(item));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(item.data), item.data_bytes), "print(1)");
  ASSERT_TRUE(reader.Next(item));
  EXPECT_EQ(item.type, wire::BundleRecord::kArgument);
  EXPECT_FALSE(reader.Next(item));
  EXPECT_TRUE(reader.valid());
}

TEST(BundleReaderTest, WrongMagicIsInvalid) {
  RawBundle bundle;
  bundle.bytes()[0] ^= 1U;
  EXPECT_FALSE(bundle.Reader().valid());
}

TEST(BundleReaderTest, MoreRecordsThanAllowedAreInvalid) {
  RawBundle bundle;
  bundle.SetCount(wire::kMaxBundleRecords + 1);
  EXPECT_FALSE(bundle.Reader().valid());
}

TEST(BundleReaderTest, EveryTruncationIsInvalid) {
  RawBundle bundle;
  bundle.Record(wire::BundleRecord::kFile, "dir/name", "some content")
      .Record(wire::BundleRecord::kArgument, "y");
  for (size_t size = 0; size < bundle.bytes().size(); ++size) {
    // A copy of exactly this size, so that a sanitizer sees any read behind it.
    const std::vector<unsigned char> cut(bundle.bytes().begin(),
                                         bundle.bytes().begin() + static_cast<long>(size));
    BundleReader reader(cut.data(), cut.size());
    BundleItem item{};
    while (reader.Next(item)) {
    }
    EXPECT_FALSE(reader.valid()) << size;
  }
}

TEST(BundleReaderTest, SizesThatWrapAroundAreInvalid) {
  RawBundle bundle;
  bundle.Record(wire::BundleRecord::kFile, "name", "data");
  wire::BundleRecordHeader header{};
  std::memcpy(&header, bundle.bytes().data() + sizeof(wire::BundleHeader), sizeof header);
  for (const uint64_t size : {~uint64_t{0}, ~uint64_t{0} - 7, uint64_t{1} << 63U, uint64_t{5000}}) {
    header.data_bytes = size;
    std::memcpy(bundle.bytes().data() + sizeof(wire::BundleHeader), &header, sizeof header);
    BundleReader reader = bundle.Reader();
    BundleItem item{};
    EXPECT_FALSE(reader.Next(item));
    EXPECT_FALSE(reader.valid());
  }
}

TEST(BundleReaderTest, NulInsideANameIsInvalid) {
  RawBundle bundle;
  bundle.Record(wire::BundleRecord::kFile, std::string("a\0b", 3), "data");
  BundleReader reader = bundle.Reader();
  BundleItem item{};
  EXPECT_FALSE(reader.Next(item));
}

TEST(SafePathTest, PathsBelowBoxAreSafe) {
  for (const std::string path : {"a", "a/b", "a.b/..c", "...", "a/b/c/d"}) {
    EXPECT_TRUE(IsSafeRelativePath(path.c_str(), static_cast<uint32_t>(path.size()))) << path;
  }
}

TEST(SafePathTest, PathsThatLeadAwayAreNot) {
  const std::string long_name(256, 'x');
  std::string deep = "a";
  for (uint32_t i = 0; i < wire::kMaxPathComponents; ++i) {
    deep += "/a";
  }
  for (const std::string& path :
       {std::string(), std::string("/"), std::string("/etc/passwd"), std::string("../a"),
        std::string("a/../b"), std::string("a/.."), std::string("./a"), std::string("a//b"),
        std::string("a/"), std::string("."), std::string(".."), long_name, deep,
        std::string(wire::kMaxPathBytes + 1, 'y')}) {
    EXPECT_FALSE(IsSafeRelativePath(path.c_str(), static_cast<uint32_t>(path.size()))) << path;
  }
}

}  // namespace
}  // namespace caisson::init
