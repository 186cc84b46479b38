#include "common/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson {
namespace {

using std::string_literals::operator""s;

TEST(Utf8Test, WellFormedTextIsValid) {
  for (const std::string& text :
       {""s, "\0"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s, "\xee\x80\x80"s,
        "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s}) {
    EXPECT_TRUE(IsValidUtf8(text)) << testing::PrintToString(text);
  }
}

TEST(Utf8Test, IllFormedTextIsInvalid) {
  for (const std::string& text :
       {"\x80"s, "\xc0\x80"s, "\xc1\xbf"s, "\xc2"s, "\xc2\x7f"s, "\xc2\xc0"s, "\xe0\x9f\xbf"s, "\xe1\x80"s,
        "\xed\xa0\x80"s, "\xe1\x80\x7f"s, "\xf0\x8f\xbf\xbf"s, "\xf0\x90\x80"s, "\xf4\x90\x80\x80"s,
        "\xf5\x80\x80\x80"s, "\xff"s, "a\xe2\x82"s}) {
    EXPECT_FALSE(IsValidUtf8(text)) << testing::PrintToString(text);
  }
}

TEST(Utf8Test, ControlCharactersAreNotPrintable) {
  for (const std::string& text : {""s, "a b/c\\"s, "caf\xc3\xa9"s, "\xc2\xa0"s, "\xf0\x9f\xa6\x80"s}) {
    EXPECT_TRUE(IsPrintableUtf8(text)) << testing::PrintToString(text);
    EXPECT_EQ(EscapeUnprintable(text), text);
  }
  for (const std::string& text :
       {"\0"s, "a\n"s, "\x1b[2J"s, "\x7f"s, "\xc2\x80"s, "\xc2\x9f"s, "\xff"s, "a\xe2\x82"s}) {
    EXPECT_FALSE(IsPrintableUtf8(text)) << testing::PrintToString(text);
    EXPECT_TRUE(IsPrintableUtf8(EscapeUnprintable(text))) << testing::PrintToString(text);
  }
}

TEST(Utf8Test, WhatIsNotPrintableIsEscapedByteByByte) {
  EXPECT_EQ(EscapeUnprintable("a\n\xff\xc2\x9b\xc3\xa9"), "a\\x0a\\xff\\xc2\\x9b\xc3\xa9");
}

TEST(Utf8Test, MalformedBytesAreReplacedOneByOne) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\n\xff\xe2\x82z\xc3\xa9"),
            "a\n\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xc3\xa9");
}

}  // namespace
}  // namespace caisson
