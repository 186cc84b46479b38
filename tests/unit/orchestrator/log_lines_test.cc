#include "orchestrator/log_lines.h"

#include <gtest/gtest.h>

namespace caisson::orchestrator {
namespace {

std::vector<LogLine> Lines(std::string_view bytes) {
  LogLines splitter;
  std::vector<LogLine> lines;
  splitter.Feed(bytes, lines);
  splitter.Finish(lines);
  return lines;
}

TEST(LogLinesTest, SeveritiesAreTakenOffTheLine) {
  const std::vector<LogLine> lines = Lines("<2>a\n<3>b\n<4>c\n<6>d\n<7>e\nno severity\n<9>f\n");
  ASSERT_EQ(lines.size(), 7U);
  using namespace spdlog::level;  // NOLINT(google-build-using-namespace)
  const std::vector<level_enum> levels = {critical, err, warn, info, debug, warn, warn};
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].level, levels[i]) << i;
  }
  EXPECT_EQ(lines[0].text, "a");
  EXPECT_EQ(lines[6].text, "<9>f");
}

TEST(LogLinesTest, PiecesMakeLinesWhereverTheyAreCut) {
  const std::string text = "<6>first\n<4>second\nlast without an end";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    LogLines splitter;
    std::vector<LogLine> lines;
    splitter.Feed(std::string_view(text).substr(0, cut), lines);
    splitter.Feed(std::string_view(text).substr(cut), lines);
    EXPECT_EQ(lines.size(), 2U) << cut;
    splitter.Finish(lines);
    ASSERT_EQ(lines.size(), 3U) << cut;
    EXPECT_EQ(lines[1].text, "second");
    EXPECT_EQ(lines[2].text, "last without an end");
  }
}

TEST(LogLinesTest, WhatATerminalObeysIsEscaped) {
  EXPECT_EQ(EscapeForLog("\x1b[31mred\r\t\x7f"), "\\x1b[31mred\\x0d\\x09\\x7f");
  EXPECT_EQ(EscapeForLog(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(EscapeForLog("\xc2\x9b\xff"), "\\xc2\\x9b\\xff");  // a control character of 8 bits, and no UTF-8
  EXPECT_EQ(EscapeForLog("\\x0a"), "\\x5cx0a");                // so that nothing passes for an escape of ours
  EXPECT_EQ(EscapeForLog("plain ~"), "plain ~");
}

TEST(LogLinesTest, LongLinesAreCutAndSayByHowMuch) {
  const std::string exact(kMaxLogLineBytes, 'x');
  EXPECT_EQ(Lines(exact + "\n").at(0).text, exact);
  EXPECT_EQ(Lines(exact + "yz\nnext\n").at(0).text, exact + " ... (2 bytes cut)");
  EXPECT_EQ(Lines(exact + "yz\nnext\n").at(1).text, "next");
}

TEST(LogLinesTest, AnEndlessLineCostsBoundedMemory) {
  LogLines splitter;
  std::vector<LogLine> lines;
  const std::string piece(65'536, 'x');
  for (int i = 0; i < 1'000; ++i) {
    splitter.Feed(piece, lines);
  }
  EXPECT_TRUE(lines.empty());
  splitter.Feed("\n", lines);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_LT(lines[0].text.size(), kMaxLogLineBytes + 64);
}

TEST(LogLinesTest, EmptyLinesAreLines) {
  EXPECT_EQ(Lines("\n\n").size(), 2U);
  EXPECT_EQ(Lines("").size(), 0U);
}

}  // namespace
}  // namespace caisson::orchestrator
