// Which pieces of returned files have a place, whatever a server sends.
#include "cli/returned_files.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status.h"

namespace caisson::cli {
namespace {

v1::OutputFile Piece(const std::string& path, const std::string& data, uint64_t offset, uint64_t size) {
  v1::OutputFile piece;
  piece.set_path(path);
  piece.set_data(data);
  piece.set_offset(offset);
  piece.set_size_bytes(size);
  return piece;
}

v1::OutputFile Whole(const std::string& path, const std::string& data) {
  return Piece(path, data, 0, data.size());
}

void List(v1::RunResult& result, const std::string& path, uint64_t size) {
  v1::CollectedFile& file = *result.add_outputs();
  file.set_path(path);
  file.set_size_bytes(size);
}

// Feeds the pieces and returns what was said about the last, the others being good.
std::string Complaint(const std::vector<v1::OutputFile>& pieces) {
  ReturnedFiles files({"."});
  for (size_t i = 0; i + 1 < pieces.size(); ++i) {
    EXPECT_TRUE(files.Accept(pieces[i]).ok()) << i;
  }
  const absl::Status status = files.Accept(pieces.back());
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  return Message(status);
}

TEST(ReturnedFilesTest, WhatWasAskedForComesWithAllBelowIt) {
  ReturnedFiles files({"out", "a/b.txt"});
  EXPECT_TRUE(files.Accept(Whole("out", "x")).ok());
  EXPECT_TRUE(files.Accept(Whole("out/deep/er", "x")).ok());
  EXPECT_TRUE(files.Accept(Piece("a/b.txt", "on", 0, 3)).ok());
  EXPECT_TRUE(files.Accept(Piece("a/b.txt", "e", 2, 3)).ok());
  EXPECT_TRUE(files.Incomplete().empty());
}

TEST(ReturnedFilesTest, WhatNobodyAskedForIsRefused) {
  for (const char* path : {"other", "outer", "out2/x", "a", "a/c", "a/b.txt2", "main.py", ".bashrc"}) {
    ReturnedFiles files({"out", "a/b.txt"});
    EXPECT_EQ(Message(files.Accept(Whole(path, "x"))),
              "a file nobody asked for: '" + std::string(path) + "'");
  }
  EXPECT_FALSE(ReturnedFiles({}).Accept(Whole("x", "x")).ok());
  EXPECT_FALSE(ReturnedFiles({""}).Accept(Whole("x", "x")).ok());
}

TEST(ReturnedFilesTest, AllOfTheBoxIsAskedForByADot) {
  ReturnedFiles files({"."});
  EXPECT_TRUE(files.Accept(Whole("a/b/c", "x")).ok());
}

TEST(ReturnedFilesTest, PathsThatLeadElsewhereAreRefusedAlsoBelowADot) {
  for (const char* path : {"", "/etc/passwd", "../up", "a/../../up", "a/./b", "a//b", "a/", "..", ".", "a\nb",
                           "a\x1b[2J", "a\u009b2J", "a\xff"}) {
    EXPECT_FALSE(IsSafeOutputPath(path)) << path;
    EXPECT_EQ(Complaint({Whole(path, "x")}).find("a file whose path leads elsewhere: '"), 0U) << path;
  }
  EXPECT_FALSE(IsSafeOutputPath(std::string(1025, 'a')));
  EXPECT_FALSE(IsSafeOutputPath(std::string("a\0b", 3)));
  EXPECT_TRUE(IsSafeOutputPath("...a/..b"));
}

TEST(ReturnedFilesTest, PiecesThatDoNotFitTogetherAreRefused) {
  struct Row {
    std::vector<v1::OutputFile> pieces;
    const char* complaint;
  };
  v1::OutputFile executable = Piece("f", "c", 2, 4);
  executable.set_executable(true);
  const std::vector<Row> rows{
      {{Piece("f", "ab", 2, 4)}, "byte 2 of the file 'f' where byte 0 was due"},
      {{Piece("f", "ab", 0, 4), Piece("f", "d", 3, 4)}, "byte 3 of the file 'f' where byte 2 was due"},
      {{Piece("f", "ab", 0, 4), Piece("f", "bcd", 1, 4)}, "byte 1 of the file 'f' where byte 2 was due"},
      {{Piece("f", "ab", 0, 4), Piece("f", "ab", 0, 4)}, "byte 0 of the file 'f' where byte 2 was due"},
      {{Piece("f", "ab", 0, 4), Piece("f", "cde", 2, 4)}, "more than the 4 bytes of the file 'f'"},
      {{Piece("f", "ab", 0, 1)}, "more than the 1 byte of the file 'f'"},
      {{Piece("f", "ab", 0, 4), Piece("f", "cd", 2, 5)}, "two sizes or modes of the file 'f'"},
      {{Piece("f", "ab", 0, 4), executable}, "two sizes or modes of the file 'f'"},
      {{Piece("f", "", 0, 4)}, "an empty piece of the file 'f'"},
      {{Whole("f", ""), Whole("f", "")}, "an empty piece of the file 'f'"},
      {{Whole("f", "ab"), Piece("f", "", 2, 2)}, "an empty piece of the file 'f'"},
      {{Whole("f", "ab"), Whole("f", "ab")}, "byte 0 of the file 'f' where byte 2 was due"},
      {{Piece("f", "ab", 0, 4), Whole("g", ""), Piece("f", "cd", 2, 4)}, "the file 'f' a second time"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Complaint(row.pieces), row.complaint);
  }
}

TEST(ReturnedFilesTest, SizesNearTheLargestNumberDoNotWrap) {
  EXPECT_EQ(Complaint({Piece("f", "", 0, ~0ULL)}), "more than 256 MiB of files");
  EXPECT_EQ(Complaint({Piece("f", "a", 0, 1), Piece("g", "a", 0, kMaxReturnedBytes)}),
            "more than 256 MiB of files");
  ReturnedFiles files({"."});
  EXPECT_TRUE(files.Accept(Piece("f", "a", 0, kMaxReturnedBytes)).ok());
  EXPECT_EQ(Message(files.Accept(Piece("f", "a", ~0ULL, kMaxReturnedBytes))),
            "byte 18446744073709551615 of the file 'f' where byte 1 was due");
}

TEST(ReturnedFilesTest, FilesHaveAMostNumber) {
  ReturnedFiles files({"."});
  for (size_t i = 0; i < kMaxReturnedFiles; ++i) {
    ASSERT_TRUE(files.Accept(Whole(std::to_string(i), "")).ok());
  }
  EXPECT_EQ(Message(files.Accept(Whole("x", ""))), "more than 1024 files");
}

TEST(ReturnedFilesTest, IncompleteFilesAreNamed) {
  ReturnedFiles files({"."});
  EXPECT_TRUE(files.Accept(Piece("cut", "half", 0, 8)).ok());
  EXPECT_TRUE(files.Accept(Whole("good", "x")).ok());
  EXPECT_TRUE(files.Accept(Piece("now", "a", 0, 2)).ok());
  const std::vector<ReturnedFiles::Part> parts = files.Incomplete();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].path, "cut");
  EXPECT_EQ(parts[0].received_bytes, 4U);
  EXPECT_EQ(parts[0].size_bytes, 8U);
  EXPECT_EQ(parts[1].path, "now");
}

TEST(ReturnedFilesTest, ResultMustListWhatCame) {
  ReturnedFiles files({"."});
  ASSERT_TRUE(files.Accept(Whole("f", "abc")).ok());
  v1::RunResult result;
  EXPECT_TRUE(files.CheckResult(result).ok()) << "the collection may have been cut off before the list";
  List(result, "f", 3);
  EXPECT_TRUE(files.CheckResult(result).ok());
  List(result, "f", 3);
  EXPECT_EQ(Message(files.CheckResult(result)), "a list of returned files with 'f' twice");
  result.mutable_outputs(1)->set_path("g\x1b");
  EXPECT_EQ(Message(files.CheckResult(result)), "a list of returned files with 'g\\x1b', which never came");
  result.clear_outputs();
  List(result, "f", 4);
  EXPECT_EQ(Message(files.CheckResult(result)), "3 bytes of the file 'f', which by its own word has 4 bytes");
}

TEST(ReturnedFilesTest, PartOfAFileNeedsAWordAboutTheRest) {
  ReturnedFiles files({"."});
  ASSERT_TRUE(files.Accept(Piece("tab\u00fc", "half", 0, 8)).ok());
  v1::RunResult result;
  EXPECT_EQ(Message(files.CheckResult(result)), "a part of the file 'tab\u00fc' and no word about the rest");
  result.add_refused_outputs()->set_path("tab\u00fc");
  EXPECT_TRUE(files.CheckResult(result).ok());
  result.clear_refused_outputs();
  result.set_outputs_incomplete(true);
  EXPECT_TRUE(files.CheckResult(result).ok());
  List(result, "tab\u00fc", 8);
  EXPECT_FALSE(files.CheckResult(result).ok()) << "listed, so it must have come";
}

}  // namespace
}  // namespace caisson::cli
