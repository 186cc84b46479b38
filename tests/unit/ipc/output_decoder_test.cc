#include "ipc/output_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "common/status.h"
#include "ipc/output_records.h"

namespace caisson::ipc {
namespace {

using wire::OutputHeader;
using wire::OutputRecord;
using wire::OutputRefusal;

// Writes down what it hears, one line a call; content of consecutive pieces together.
class Recorder final : public OutputSink {
 public:
  void OnFile(const OutputFileInfo& file) override {
    text += "file " + std::string(file.path) + " " + std::to_string(file.size_bytes) +
            (file.executable ? " x:" : ":");
  }
  void OnData(std::span<const std::byte> bytes) override {
    EXPECT_FALSE(bytes.empty());
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void OnFileEnd(bool complete, int error_number) override {
    text += complete ? "\n" : " cut " + std::to_string(error_number) + "\n";
  }
  void OnRefused(std::string_view path, OutputRefusal reason, int error_number) override {
    text += "refused " + std::string(path) + " " + std::to_string(static_cast<int>(reason)) + " " +
            std::to_string(error_number) + "\n";
  }
  void OnDone(uint64_t unlisted) override { text += "done " + std::to_string(unlisted) + "\n"; }

  std::string text;
};

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

// "accepted", "cut off" or the error; `heard` is what the sink was told.
std::string Decode(const std::string& stream, std::string* heard = nullptr) {
  Recorder recorder;
  OutputDecoder decoder(recorder);
  const absl::Status status = decoder.Feed(Bytes(stream));
  if (heard != nullptr) {
    *heard = recorder.text;
  }
  if (!status.ok()) {
    EXPECT_EQ(Message(status).rfind("decode output files: ", 0), 0U);
    return Message(status).substr(std::strlen("decode output files: "));
  }
  return decoder.done() ? "accepted" : "cut off";
}

// The stream with one field of its first header changed.
std::string With(std::string stream, void (*change)(OutputHeader&)) {
  OutputHeader header{};
  std::memcpy(&header, stream.data(), sizeof header);
  change(header);
  std::memcpy(stream.data(), &header, sizeof header);
  return stream;
}

TEST(OutputDecoderTest, PiecesOfAnySizeMakeTheSameFiles) {
  const std::string stream = File("a/b", 8, 1) + Data("first ") + Data("2.") + FileEnd() +
                             WholeFile("empty", "") + Refused("l\x01\xff", OutputRefusal::kReadFailed, 5) +
                             File("short", 9) + Data("cut") + FileEnd(OutputRefusal::kReadFailed, 5) + Done();
  const std::string expected =
      "file a/b 8 x:first 2.\nfile empty 0:\nrefused l\x01\xff 10 5\nfile short 9:cut cut 5\ndone 0\n";
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    Recorder recorder;
    OutputDecoder decoder(recorder);
    for (size_t at = 0; at < stream.size(); at += piece) {
      ASSERT_TRUE(decoder.Feed(Bytes(stream).subspan(at, std::min(piece, stream.size() - at))).ok());
    }
    EXPECT_EQ(recorder.text, expected) << piece;
    EXPECT_TRUE(decoder.done());
  }
}

TEST(OutputDecoderTest, AStreamThatStopsIsCutOffWhereverItStops) {
  const std::string stream = WholeFile("a", "content") + Refused("b") + Done();
  for (size_t length = 0; length < stream.size(); ++length) {
    EXPECT_EQ(Decode(stream.substr(0, length)), "cut off") << length;
  }
  EXPECT_EQ(Decode(stream), "accepted");
}

TEST(OutputDecoderTest, EveryFieldOfEveryRecordIsChecked) {
  const std::string rest = Data("x") + FileEnd() + Done();
  EXPECT_EQ(Decode(With(File("a", 1), [](auto& h) { h.magic ^= 1; })), "magic is wrong");
  EXPECT_EQ(Decode(With(File("a", 1), [](auto& h) { h.reserved = 1; })), "reserved is not 0");
  EXPECT_EQ(Decode(With(File("a", 1), [](auto& h) { h.flags = 2; })), "flags are out of range");
  EXPECT_EQ(Decode(With(Done(), [](auto& h) { h.flags = 1; })), "flags are out of range");
  EXPECT_EQ(Decode(With(Done(), [](auto& h) { h.type = OutputRecord{0}; })), "type is unknown");
  EXPECT_EQ(Decode(With(Done(), [](auto& h) { h.type = OutputRecord{6}; })), "type is unknown");
  EXPECT_EQ(Decode(With(File("a", 1), [](auto& h) { h.reason = OutputRefusal::kLink; })),
            "a file has a reason");
  EXPECT_EQ(Decode(File("a", 1) + With(rest, [](auto& h) { h.reason = OutputRefusal::kLink; })),
            "a piece has a reason or a size");
  EXPECT_EQ(Decode(File("a", 1) + With(rest, [](auto& h) { h.size = 1; })), "a piece has a reason or a size");
  EXPECT_EQ(Decode(File("a", 0) + With(FileEnd(), [](auto& h) { h.bytes = 1; })), "a file's end has bytes");
  EXPECT_EQ(Decode(File("a", 0) + FileEnd(OutputRefusal::kNone, 1)),
            "a file's end has another reason or a size");
  EXPECT_EQ(Decode(File("a", 1) + FileEnd(OutputRefusal::kTooLarge)),
            "a file's end has another reason or a size");
  EXPECT_EQ(Decode(File("a", 1) + FileEnd(OutputRefusal::kReadFailed, 4096)), "an errno is out of range");
  EXPECT_EQ(Decode(Refused("a", OutputRefusal::kNone)), "a refusal's reason is out of range");
  EXPECT_EQ(Decode(Refused("a", OutputRefusal::kInvalidName)), "a refusal's reason is out of range");
  EXPECT_EQ(Decode(Refused("a", OutputRefusal{12})), "a refusal's reason is out of range");
  EXPECT_EQ(Decode(Refused("a", OutputRefusal::kReadFailed, 4096)), "an errno is out of range");
  EXPECT_EQ(Decode(With(Done(), [](auto& h) { h.bytes = 1; })), "the last record has more");
  EXPECT_EQ(Decode(With(Done(), [](auto& h) { h.reason = OutputRefusal::kLink; })),
            "the last record has more");
}

TEST(OutputDecoderTest, OrderIsHeld) {
  EXPECT_EQ(Decode(Data("x")), "content outside a file");
  EXPECT_EQ(Decode(FileEnd()), "the end of no file");
  EXPECT_EQ(Decode(WholeFile("a", "x") + Data("y")), "content outside a file");
  EXPECT_EQ(Decode(WholeFile("a", "x") + FileEnd()), "the end of no file");
  EXPECT_EQ(Decode(File("a", 1) + File("b", 1)), "a file within a file");
  EXPECT_EQ(Decode(File("a", 1) + Refused("b")), "a refusal within a file");
  EXPECT_EQ(Decode(File("a", 0) + Done()), "the last record within a file");
  EXPECT_EQ(Decode(Done() + WholeFile("a", "")), "something follows the last record");
  EXPECT_EQ(Decode(Done() + "x"), "something follows the last record");
}

TEST(OutputDecoderTest, ContentIsExactlyTheFilesSizeUnlessItCouldNotBeRead) {
  EXPECT_EQ(Decode(File("a", 3) + Data("123") + Data("4")), "a file has more content than its size");
  EXPECT_EQ(Decode(File("a", 3) + Data("1234")), "a file has more content than its size");
  EXPECT_EQ(Decode(File("a", 3) + Data("12") + FileEnd()), "a file has less content than its size");
  EXPECT_EQ(Decode(File("a", 2) + Data("12") + FileEnd(OutputRefusal::kReadFailed)),
            "a complete file was not read");
  EXPECT_EQ(Decode(File("a", 3) + FileEnd(OutputRefusal::kReadFailed) + Done()), "accepted");
}

TEST(OutputDecoderTest, PathsStayWhereTheyAreAppended) {
  for (const std::string& path :
       {std::string("a"), std::string("a/b"), std::string("..."), std::string(".a/b."),
        std::string("caf\xc3\xa9"), std::string("\xff\n"), std::string(1024, 'a')}) {
    EXPECT_EQ(Decode(WholeFile(path, "") + Done()), "accepted") << path;
  }
  for (const std::string& path :
       {std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."), std::string(".."),
        std::string("a/.."), std::string("../a"), std::string("a/./b"), std::string("a\0b", 3)}) {
    EXPECT_EQ(Decode(WholeFile(path, "")), "a path leads elsewhere") << path;
  }
  EXPECT_EQ(Decode(File("", 0)), "a path's length is out of range");
  EXPECT_EQ(Decode(File(std::string(1025, 'a'), 0)), "a path's length is out of range");
  EXPECT_EQ(Decode(Refused("")), "a path's length is out of range");
  EXPECT_EQ(Decode(Refused(std::string(1025, 'a'))), "a path's length is out of range");
  EXPECT_EQ(Decode(Refused(std::string("a\0b", 3))), "a path has a NUL byte");
  EXPECT_EQ(Decode(Refused(".") + Refused("../x") + Done()), "accepted");
}

TEST(OutputDecoderTest, PiecesAreBounded) {
  const std::string largest(wire::kMaxOutputChunkBytes, 'x');
  EXPECT_EQ(Decode(WholeFile("a", largest) + Done()), "accepted");
  EXPECT_EQ(Decode(File("a", 1 << 20U) + Data(largest + "x")), "a piece's length is out of range");
  EXPECT_EQ(Decode(File("a", 1 << 20U) + Data("")), "a piece's length is out of range");
}

TEST(OutputDecoderTest, CountsAndTotalsAreBounded) {
  std::string files;
  for (uint32_t i = 0; i < wire::kMaxOutputFiles; ++i) {
    files += WholeFile("f", "");
  }
  EXPECT_EQ(Decode(files + Done()), "accepted");
  EXPECT_EQ(Decode(files + File("f", 0)), "too many files");
  std::string refusals;
  for (uint32_t i = 0; i < wire::kMaxOutputRefusals; ++i) {
    refusals += Refused("r");
  }
  EXPECT_EQ(Decode(refusals + Refused("r")), "too many refusals");
  EXPECT_EQ(Decode(refusals + Done(0xffffffff)), "accepted");
  EXPECT_EQ(Decode(refusals + Done(0x100000000)), "the number of unlisted refusals is out of range");
  EXPECT_EQ(Decode(Refused("r") + Done(1)), "the number of unlisted refusals is out of range");

  EXPECT_EQ(Decode(File("a", wire::kMaxOutputTotalBytes)), "cut off");
  EXPECT_EQ(Decode(File("a", wire::kMaxOutputTotalBytes + 1)), "the files are too large");
  EXPECT_EQ(Decode(File("a", UINT64_MAX)), "the files are too large");
  const std::string almost = File("a", wire::kMaxOutputTotalBytes - 1) + FileEnd(OutputRefusal::kReadFailed);
  EXPECT_EQ(Decode(almost + File("b", 1)), "cut off");
  EXPECT_EQ(Decode(almost + File("b", 2)), "the files are too large");
}

TEST(OutputDecoderTest, AViolationBreaksTheDecoderForGood) {
  Recorder recorder;
  OutputDecoder decoder(recorder);
  const std::string good = WholeFile("a", "x");
  const std::string stream = good + Data("stray") + good;
  const absl::Status first = decoder.Feed(Bytes(stream));
  EXPECT_FALSE(first.ok());
  EXPECT_EQ(recorder.text, "file a 1:x\n");
  EXPECT_EQ(decoder.Feed(Bytes(good)), first);
  EXPECT_EQ(recorder.text, "file a 1:x\n");
  EXPECT_FALSE(decoder.done());
}

}  // namespace
}  // namespace caisson::ipc
