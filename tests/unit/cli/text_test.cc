#include "cli/text.h"

#include <gtest/gtest.h>

namespace caisson::cli {
namespace {

TEST(TextTest, ControlCharactersCannotReachTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[31mb\nc\x7f"), "a\\x1b[31mb\\x0ac\\x7f");
  EXPECT_EQ(Printable("grün"), "grün");
}

TEST(TextTest, LongTextIsCutAndSaysSo) { EXPECT_EQ(Printable("abcdef", 3), "abc..."); }

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
