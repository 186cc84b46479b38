// The collector's list of names, from what getdents64(2) would say and from what it never would.
#include "sandbox/init/collect_listing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sandbox/init/heap_sort.h"

namespace caisson::init {
namespace {

using Names = std::vector<std::string>;

std::vector<unsigned char> Entries(const Names& names) {
  std::vector<unsigned char> bytes;
  for (const std::string& name : names) {
    const size_t at = bytes.size();
    const size_t record = (19 + name.size() + 1 + 7) / 8 * 8;
    bytes.resize(at + record);
    const auto record_bytes = static_cast<uint16_t>(record);
    std::memcpy(&bytes[at + 16], &record_bytes, sizeof record_bytes);
    std::memcpy(&bytes[at + 19], name.c_str(), name.size() + 1);
  }
  return bytes;
}

class ListingsTest : public testing::Test {
 protected:
  ListingsTest() { listings_->Clear(); }
  bool Add(Listings::List& list, const std::vector<unsigned char>& entries) {
    return listings_->Add(list, entries.data(), entries.size());
  }
  Names NamesOf(const Listings::List& list) const {
    Names names;
    for (uint32_t i = 0; i < list.count; ++i) {
      names.emplace_back(listings_->Name(list, i));
    }
    return names;
  }
  std::unique_ptr<Listings> listings_ = std::make_unique<Listings>();
};

TEST_F(ListingsTest, NamesAreSortedByBytesAndTheTwoDotsAreNotAmongThem) {
  Listings::List list = listings_->Open();
  EXPECT_TRUE(Add(list, Entries({"b", ".", "..", "a", "\xff", "B", "aa", "...", "a\n"})));
  listings_->Sort(list);
  EXPECT_EQ(NamesOf(list), (Names{"...", "B", "a", "a\n", "aa", "b", "\xff"}));
}

TEST_F(ListingsTest, ListsLieOnTopOfEachOther) {
  Listings::List outer = listings_->Open();
  EXPECT_TRUE(Add(outer, Entries({"x", "y"})));
  Listings::List inner = listings_->Open();
  EXPECT_TRUE(Add(inner, Entries({"z"})));
  listings_->Sort(outer);
  EXPECT_EQ(NamesOf(inner), (Names{"z"}));
  listings_->Close(inner);
  inner = listings_->Open();
  EXPECT_TRUE(Add(inner, Entries({"w", "v"})));
  EXPECT_EQ(NamesOf(outer), (Names{"x", "y"}));
  EXPECT_EQ(NamesOf(inner), (Names{"w", "v"}));
}

TEST_F(ListingsTest, ItIsFullByNumberAndByBytes) {
  Listings::List many = listings_->Open();
  const std::vector<unsigned char> short_name = Entries({"n"});
  for (uint32_t i = 0; i < Listings::kMaxNames; ++i) {
    ASSERT_TRUE(Add(many, short_name));
  }
  EXPECT_FALSE(Add(many, short_name));
  EXPECT_EQ(many.count, Listings::kMaxNames);
  listings_->Close(many);
  Listings::List large = listings_->Open();
  const std::vector<unsigned char> long_name = Entries({std::string(255, 'n')});
  for (uint32_t i = 0; i < Listings::kMaxNameBytes / 256; ++i) {
    ASSERT_TRUE(Add(large, long_name));
  }
  EXPECT_FALSE(Add(large, long_name));
  EXPECT_FALSE(Add(large, Entries({""})));
}

TEST_F(ListingsTest, MalformedEntriesEndTheListAndNothingIsReadBehindThem) {
  const std::vector<unsigned char> good = Entries({"abc", "defghijk"});
  for (size_t size = 1; size < good.size(); ++size) {
    if (size == good.size() / 2 || size == 24) {
      continue;  // exactly one entry
    }
    const std::vector<unsigned char> cut(good.begin(), good.begin() + static_cast<long>(size));
    Listings::List list = listings_->Open();
    EXPECT_FALSE(Add(list, cut)) << size;
    listings_->Close(list);
  }
  for (const uint16_t record_bytes : std::vector<uint16_t>{0, 1, 19, 4096}) {
    std::vector<unsigned char> wrong = good;
    std::memcpy(&wrong[16], &record_bytes, sizeof record_bytes);
    Listings::List list = listings_->Open();
    EXPECT_FALSE(Add(list, wrong)) << record_bytes;
  }
  std::vector<unsigned char> endless = Entries({"abcd"});
  std::fill(endless.begin() + 19, endless.end(), 'x');
  Listings::List list = listings_->Open();
  EXPECT_FALSE(Add(list, endless));
}

TEST(HeapSortTest, SortsWhateverTheOrder) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same numbers every time
  for (uint32_t count = 0; count < 200; ++count) {
    std::vector<int> numbers;
    for (uint32_t i = 0; i < count; ++i) {
      numbers.push_back(static_cast<int>(random() % 50));
    }
    std::vector<int> expected = numbers;
    std::sort(expected.begin(), expected.end());
    HeapSort(numbers.data(), count, [](int a, int b) { return a < b; });
    EXPECT_EQ(numbers, expected);
  }
}

}  // namespace
}  // namespace caisson::init
