#include "dispatcher/output_files.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ipc/output_decoder.h"
#include "ipc/output_records.h"

namespace caisson::dispatcher {
namespace {

using ipc::Data;
using ipc::Done;
using ipc::File;
using ipc::FileEnd;
using ipc::Refused;
using ipc::WholeFile;
using wire::OutputRefusal;

// What the events and the result of a stream are.
struct Delivery {
  std::vector<v1::OutputFile> pieces;
  CollectedOutputs outputs;
};

Delivery Deliver(const std::string& stream) {
  Delivery delivery;
  OutputFiles files([&](v1::RunEvent event) { delivery.pieces.push_back(event.output_file()); });
  ipc::OutputDecoder decoder(files);
  EXPECT_TRUE(decoder.Feed(std::as_bytes(std::span(stream))).ok());
  delivery.outputs = files.Take();
  return delivery;
}

TEST(OutputFilesTest, AFileIsOnePieceWithSizeAndDigest) {
  const Delivery delivery = Deliver(WholeFile("out/a", "abc", 1) + Done());
  ASSERT_EQ(delivery.pieces.size(), 1U);
  EXPECT_EQ(delivery.pieces[0].path(), "out/a");
  EXPECT_EQ(delivery.pieces[0].offset(), 0U);
  EXPECT_EQ(delivery.pieces[0].data(), "abc");
  EXPECT_EQ(delivery.pieces[0].size_bytes(), 3U);
  EXPECT_TRUE(delivery.pieces[0].executable());
  ASSERT_EQ(delivery.outputs.files.size(), 1U);
  EXPECT_EQ(delivery.outputs.files[0].path(), "out/a");
  EXPECT_EQ(delivery.outputs.files[0].size_bytes(), 3U);
  EXPECT_TRUE(delivery.outputs.files[0].executable());
  EXPECT_EQ(delivery.outputs.files[0].digest(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(delivery.outputs.complete);
}

TEST(OutputFilesTest, AnEmptyFileHasOnePieceWithoutData) {
  const Delivery delivery = Deliver(WholeFile("empty", "") + Done());
  ASSERT_EQ(delivery.pieces.size(), 1U);
  EXPECT_EQ(delivery.pieces[0].data(), "");
  EXPECT_EQ(delivery.outputs.files[0].digest(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(OutputFilesTest, SmallRecordsAreGatheredAndLargeFilesCut) {
  constexpr size_t kSize = 2 * wire::kMaxOutputChunkBytes + 10;
  std::string stream = File("f", kSize);
  for (size_t at = 0; at < kSize; at += 7) {
    stream += Data(std::string(std::min<size_t>(7, kSize - at), 'x'));
  }
  const Delivery delivery = Deliver(stream + FileEnd() + Done());
  ASSERT_EQ(delivery.pieces.size(), 3U);
  uint64_t offset = 0;
  for (const v1::OutputFile& piece : delivery.pieces) {
    EXPECT_EQ(piece.offset(), offset);
    EXPECT_EQ(piece.size_bytes(), kSize);
    offset += piece.data().size();
  }
  EXPECT_EQ(offset, kSize);
  EXPECT_EQ(delivery.pieces[0].data().size(), wire::kMaxOutputChunkBytes);
}

TEST(OutputFilesTest, AFileThatCouldNotBeReadIsRefusedAndTheNextIsWhole) {
  const Delivery delivery =
      Deliver(File("short", 9) + Data("cut") + FileEnd(OutputRefusal::kReadFailed, EIO) +
              WholeFile("b", "abc") + Done());
  ASSERT_EQ(delivery.outputs.files.size(), 1U);
  EXPECT_EQ(delivery.outputs.files[0].path(), "b");
  EXPECT_EQ(delivery.outputs.files[0].digest().substr(0, 11), "sha256:ba78");
  ASSERT_EQ(delivery.pieces.size(), 1U);
  EXPECT_EQ(delivery.pieces[0].data(), "abc");
  ASSERT_EQ(delivery.outputs.refusals.size(), 1U);
  EXPECT_EQ(delivery.outputs.refusals[0].path(), "short");
  EXPECT_EQ(delivery.outputs.refusals[0].reason(), v1::RefusedOutput::READ_FAILED);
  EXPECT_EQ(delivery.outputs.refusals[0].message(), "It could not be read: Input/output error.");
}

TEST(OutputFilesTest, NamesTheApiCannotCarryAreRefusedAndEscaped) {
  const Delivery delivery = Deliver(WholeFile("a\xff", "secret") + WholeFile("b\n\xc2\x9b", "") +
                                    WholeFile("caf\xc3\xa9", "x") + Refused("l\x1b\xfe") + Done());
  ASSERT_EQ(delivery.outputs.files.size(), 1U);
  EXPECT_EQ(delivery.outputs.files[0].path(), "caf\xc3\xa9");
  ASSERT_EQ(delivery.pieces.size(), 1U);
  ASSERT_EQ(delivery.outputs.refusals.size(), 3U);
  EXPECT_EQ(delivery.outputs.refusals[0].path(), "a\\xff");
  EXPECT_EQ(delivery.outputs.refusals[0].reason(), v1::RefusedOutput::INVALID_NAME);
  EXPECT_EQ(delivery.outputs.refusals[1].path(), "b\\x0a\\xc2\\x9b");
  EXPECT_EQ(delivery.outputs.refusals[2].path(), "l\\x1b\\xfe");
  EXPECT_EQ(delivery.outputs.refusals[2].reason(), v1::RefusedOutput::LINK);
}

TEST(OutputFilesTest, EveryReasonHasItsNamesakeAndASentence) {
  for (int value = 1; value <= static_cast<int>(OutputRefusal::kInvalidName); ++value) {
    CollectedOutputs outputs;
    AddRefusal("p", static_cast<OutputRefusal>(value), 0, outputs);
    ASSERT_EQ(outputs.refusals.size(), 1U);
    EXPECT_TRUE(v1::RefusedOutput::Reason_IsValid(outputs.refusals[0].reason()));
    EXPECT_EQ(static_cast<int>(outputs.refusals[0].reason()), value);
    EXPECT_FALSE(outputs.refusals[0].message().empty());
  }
}

TEST(OutputFilesTest, RefusalsBeyondTheListAreCounted) {
  std::string stream;
  for (uint32_t i = 0; i < wire::kMaxOutputRefusals; ++i) {
    stream += Refused("r");
  }
  // Ours come on top of init's.
  const Delivery delivery = Deliver(stream + WholeFile("\x01", "") + Done(40));
  EXPECT_EQ(delivery.outputs.refusals.size(), wire::kMaxOutputRefusals);
  EXPECT_EQ(delivery.outputs.unlisted_refusals, 41U);
}

TEST(OutputFilesTest, AStreamWithoutItsLastRecordIsIncomplete) {
  EXPECT_FALSE(Deliver(WholeFile("a", "x")).outputs.complete);
  EXPECT_FALSE(Deliver("").outputs.complete);
}

}  // namespace
}  // namespace caisson::dispatcher
