#include <gtest/gtest.h>

#include "sandbox/init/text.h"

namespace caisson::init {
namespace {

TEST(FixedTextTest, NumbersAndTextAreAppended) {
  FixedText<64> text;
  text.Append("size=").Append(uint64_t{0}).Append(",").Append(~uint64_t{0});
  EXPECT_STREQ(text.c_str(), "size=0,18446744073709551615");
  EXPECT_TRUE(text.ok());
}

TEST(FixedTextTest, WhatDoesNotFitBreaksIt) {
  FixedText<4> text;
  text.Append("abcd");
  EXPECT_FALSE(text.ok());
}

TEST(TextTest, EqualComparesWholeWords) {
  EXPECT_TRUE(Equal("{main}", "{main}"));
  EXPECT_FALSE(Equal("{main}x", "{main}"));
  EXPECT_FALSE(Equal("{mai", "{main}"));
}

}  // namespace
}  // namespace caisson::init
