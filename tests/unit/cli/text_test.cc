#include "cli/text.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace caisson::cli {
namespace {

TEST(TextTest, ControlCharactersCannotReachTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[31mb\nc\x7f"), "a\\x1b[31mb\\x0ac\\x7f");
  EXPECT_EQ(Printable("grün"), "grün");
}

// What a terminal obeys, what reorders a line, and what cannot be seen.
TEST(TextTest, WhatCouldForgeALineIsShownByItsNumber) {
  struct Row {
    const char* what;
    std::string text;
    const char* shown;
  };
  const std::vector<Row> rows{
      {"a C1 control: next line", "a\u0085b", "a\\u0085b"},
      {"a C1 control: CSI, which is ESC [ in one", "\u009b2J", "\\u009b2J"},
      {"the last C1 control", "\u009f", "\\u009f"},
      {"the first printable of Latin-1 stays", "\u00a0", "\u00a0"},
      {"a soft hyphen", "\u00ad", "\\u00ad"},
      {"an Arabic letter mark", "\u061c", "\\u061c"},
      {"a zero-width space", "py\u200bthon", "py\\u200bthon"},
      {"a zero-width joiner", "\u200d", "\\u200d"},
      {"a right-to-left mark", "\u200f", "\\u200f"},
      {"a line separator", "a\u2028b", "a\\u2028b"},
      {"a paragraph separator", "a\u2029b", "a\\u2029b"},
      {"a left-to-right embedding", "\u202a", "\\u202a"},
      {"a right-to-left override", "exe.\u202etxt", "exe.\\u202etxt"},
      {"the space after them stays", "\u202f", "\u202f"},
      {"a word joiner", "\u2060", "\\u2060"},
      {"a left-to-right isolate", "\u2066", "\\u2066"},
      {"a pop directional isolate", "\u2069", "\\u2069"},
      {"a variation selector", "\ufe0f", "\\ufe0f"},
      {"a byte order mark", "\ufeff", "\\ufeff"},
      {"an interlinear annotation", "\ufff9", "\\ufff9"},
      {"the replacement character stays", "\ufffd", "\ufffd"},
      {"a tag character", "\U000e0041", "\\U000e0041"},
      {"an emoji stays", "\U0001f600", "\U0001f600"},
      {"the highest of all stays", "\U0010ffff", "\U0010ffff"},
      {"C1 of an eight-bit terminal, no UTF-8",
       "\x9b"
       "2J",
       "\\x9b2J"},
      {"a torn character", "a\xe2\x80", "a\\xe2\\x80"},
      {"an overlong ESC", "\xc0\x9b", "\\xc0\\x9b"},
      {"a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Printable(row.text), row.shown) << row.what;
  }
}

TEST(TextTest, LongTextIsCutAndSaysSo) {
  EXPECT_EQ(Printable("abcdef", 3), "abc...");
  EXPECT_EQ(Printable("abc", 3), "abc");
}

TEST(TextTest, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(Printable("a\U0001f600b", 3), "a...");
  EXPECT_EQ(Printable("a\U0001f600b", 5), "a\U0001f600...");
  EXPECT_EQ(Printable("\x80\x80\x80\x80\x80", 2), "\\x80\\x80...")
      << "no more than one character is given up";
}

TEST(TextTest, BytesAreShownInTheLargestUnitThatIsExact) {
  EXPECT_EQ(BytesText(0), "0 bytes");
  EXPECT_EQ(BytesText(1023), "1023 bytes");
  EXPECT_EQ(BytesText(1024), "1 KiB");
  EXPECT_EQ(BytesText(268435456), "256 MiB");
  EXPECT_EQ(BytesText(2147483648), "2 GiB");
  EXPECT_EQ(BytesText(1000000), "1000000 bytes");
}

TEST(TextTest, AgesAreShownInTheLargestUnit) {
  EXPECT_EQ(AgeText(-5), "0 s");
  EXPECT_EQ(AgeText(59), "59 s");
  EXPECT_EQ(AgeText(60), "1 min");
  EXPECT_EQ(AgeText(7199), "1 h");
  EXPECT_EQ(AgeText(86400 * 3), "3 d");
}

TEST(TextTest, AgesOfImpossibleTimesAreBounded) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(AgeBetween(1000, 940), "1 min");
  EXPECT_EQ(AgeBetween(1000, kMost), "0 s");
  EXPECT_EQ(AgeBetween(1000, kLeast), AgeText(kMost));
}

TEST(TextTest, NamesAreJoinedAsASentence) {
  EXPECT_EQ(JoinNames({}), "");
  EXPECT_EQ(JoinNames({"a"}), "a");
  EXPECT_EQ(JoinNames({"a", "b"}), "a and b");
  EXPECT_EQ(JoinNames({"a", "b", "c"}), "a, b and c");
}

TEST(TextTest, ColumnsAreAlignedAndTheLastIsNotPadded) {
  EXPECT_EQ(TableText({{"NAME", "X"}, {"a", "long"}}), "NAME  X\na     long\n");
}

}  // namespace
}  // namespace caisson::cli
