// Characters that chunk edges have cut, and bytes that are none.
#include "gateway/text_joiner.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::gateway {
namespace {

const std::string kText = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";

TEST(TextJoinerTest, TextCutAnywhereStaysText) {
  for (size_t first = 0; first <= kText.size(); ++first) {
    for (size_t second = first; second <= kText.size(); ++second) {
      TextJoiner joiner;
      std::string whole;
      for (const std::string& part :
           {kText.substr(0, first), kText.substr(first, second - first), kText.substr(second)}) {
        const TextJoiner::Piece piece = joiner.Take(part);
        EXPECT_TRUE(piece.is_text) << first << " " << second;
        EXPECT_LE(joiner.held_bytes(), 3U);
        whole += piece.bytes;
      }
      EXPECT_TRUE(joiner.Finish().bytes.empty());
      EXPECT_EQ(whole, kText);
    }
  }
}

TEST(TextJoinerTest, BytesThatCanBeNoCharacterAreNotHeldBack) {
  for (const std::string bytes :
       {"\xff", "\x80", "\xc0", "\xc1", "\xed\xa0", "\xf4\x90", "\xf5", "\xe0\x80"}) {
    TextJoiner joiner;
    const TextJoiner::Piece piece = joiner.Take("a" + bytes);
    EXPECT_FALSE(piece.is_text);
    EXPECT_EQ(piece.bytes, "a" + bytes);
    EXPECT_EQ(joiner.held_bytes(), 0U);
  }
}

TEST(TextJoinerTest, WhatIsHeldBackAtTheEndIsBytes) {
  TextJoiner joiner;
  EXPECT_TRUE(joiner.Take("\xf0\x9f\x98").bytes.empty());
  const TextJoiner::Piece rest = joiner.Finish();
  EXPECT_FALSE(rest.is_text);
  EXPECT_EQ(rest.bytes, "\xf0\x9f\x98");
}

}  // namespace
}  // namespace caisson::gateway
