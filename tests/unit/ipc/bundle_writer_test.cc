#include "ipc/bundle_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "common/memfd.h"
#include "common/status.h"
#include "ipc/bundle_records.h"

namespace caisson::ipc {
namespace {

using std::string_literals::operator""s;
using wire::BundleRecord;

BundleWriter NewWriter() {
  absl::StatusOr<BundleWriter> writer = BundleWriter::Create();
  EXPECT_TRUE(writer.ok()) << writer.status();
  return std::move(writer).value();
}

TEST(BundleWriterTest, AFileInPiecesIsTheSameAsAWholeOne) {
  const std::string large(100'000, 'x');
  BundleWriter writer = NewWriter();
  ASSERT_TRUE(writer.AddMainFile("a").ok());
  ASSERT_TRUE(writer.BeginFile("a").ok());
  ASSERT_TRUE(writer.AppendToFile("12").ok());
  ASSERT_TRUE(writer.AppendToFile("").ok());
  ASSERT_TRUE(writer.AppendToFile(large).ok());
  ASSERT_TRUE(writer.AppendToFile("345").ok());
  ASSERT_TRUE(writer.EndFile(FileMode::kExecutable).ok());
  ASSERT_TRUE(writer.BeginFile("empty").ok());
  ASSERT_TRUE(writer.EndFile(FileMode::kRegular).ok());
  ASSERT_TRUE(writer.AddFile("b", "bee", FileMode::kRegular).ok());
  ASSERT_EQ(writer.files().size(), 3U);
  const std::vector<BundleFile> files = writer.files();
  const absl::StatusOr<UniqueFd> bundle = writer.Seal();
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  const std::string content = Content(bundle->get());
  const std::vector<Record> expected = {{BundleRecord::kMainFile, 0, "a", ""},
                                        {BundleRecord::kFile, 0755, "a", "12" + large + "345"},
                                        {BundleRecord::kFile, 0644, "empty", ""},
                                        {BundleRecord::kFile, 0644, "b", "bee"}};
  EXPECT_EQ(Parse(content), expected);
  // Where the writer says they lie.
  EXPECT_EQ(content.substr(files[0].offset, files[0].bytes), "12" + large + "345");
  EXPECT_EQ(files[0].mode, FileMode::kExecutable);
  EXPECT_EQ(files[1].bytes, 0U);
  EXPECT_EQ(content.substr(files[2].offset, files[2].bytes), "bee");
  EXPECT_EQ(files[2].path, "b");
}

TEST(BundleWriterTest, AFileInPiecesIsBoundedAsAWholeOne) {
  BundleWriter writer = NewWriter();
  EXPECT_EQ(writer.BeginFile("../a").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(writer.AppendToFile("x").code(), absl::StatusCode::kInvalidArgument);  // spent
  BundleWriter full = NewWriter();
  ASSERT_TRUE(full.BeginFile("a").ok());
  const std::string piece(16UL << 20U, 'x');
  absl::Status status;
  for (uint64_t bytes = 0; status.ok() && bytes <= wire::kMaxBundleBytes; bytes += piece.size()) {
    status = full.AppendToFile(piece);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(full.Seal().status(), status);
}

TEST(BundleWriterTest, RecordsComeBackInOrder) {
  BundleWriter writer = NewWriter();
  ASSERT_TRUE(writer.AddMainFile("main.py").ok());
  ASSERT_TRUE(writer.AddArgument("").ok());
  ASSERT_TRUE(writer.AddArgument("--flag=1").ok());
  ASSERT_TRUE(writer.AddEnvironment("LANG", "C.UTF-8").ok());
  ASSERT_TRUE(writer.AddEnvironment("EMPTY", "").ok());
  ASSERT_TRUE(writer.AddFile("main.py", "print(1)\n", FileMode::kRegular).ok());
  ASSERT_TRUE(writer.AddFile("bin/tool", "\0\1\2"s, FileMode::kExecutable).ok());
  const absl::StatusOr<UniqueFd> bundle = writer.Seal();
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  const std::vector<Record> expected = {
      {BundleRecord::kMainFile, 0, "main.py", ""},
      {BundleRecord::kArgument, 0, "", ""},
      {BundleRecord::kArgument, 0, "--flag=1", ""},
      {BundleRecord::kEnvironment, 0, "LANG=C.UTF-8", ""},
      {BundleRecord::kEnvironment, 0, "EMPTY=", ""},
      {BundleRecord::kFile, 0644, "main.py", "print(1)\n"},
      {BundleRecord::kFile, 0755, "bin/tool", "\0\1\2"s},
  };
  EXPECT_EQ(Parse(Content(bundle->get())), expected);
}

TEST(BundleWriterTest, TheResultIsWhatTheReceiverDemands) {
  BundleWriter writer = NewWriter();
  const absl::StatusOr<UniqueFd> bundle = writer.Seal();
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_TRUE(CheckSealedMemfd(bundle->get(), wire::kMaxBundleBytes).ok());
  EXPECT_TRUE(Parse(Content(bundle->get())).empty());
}

TEST(BundleWriterTest, ContentOfEverySizeAroundTheBuffersSurvives) {
  BundleWriter writer = NewWriter();
  std::vector<Record> expected;
  for (const size_t size :
       {0UL, 1UL, 7UL, 8UL, 4095UL, 4096UL, 4097UL, 65535UL, 65536UL, 65537UL, 3000001UL}) {
    std::string data(size, '\0');
    for (size_t i = 0; i < size; ++i) {
      data[i] = static_cast<char>('a' + (i * 7 + size) % 26);
    }
    const std::string name = "f" + std::to_string(size);
    ASSERT_TRUE(writer.AddFile(name, data, FileMode::kRegular).ok());
    expected.push_back({BundleRecord::kFile, 0644, name, data});
  }
  const absl::StatusOr<UniqueFd> bundle = writer.Seal();
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_EQ(Parse(Content(bundle->get())), expected);
}

TEST(BundleWriterTest, TextThatExecCannotCarryIsRefused) {
  EXPECT_EQ(NewWriter().AddArgument("a\0b"s).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(NewWriter().AddEnvironment("", "x").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(NewWriter().AddEnvironment("A=B", "x").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(NewWriter().AddEnvironment("A", "x\0"s).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(NewWriter().AddFile("../a", "", FileMode::kRegular).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(NewWriter().AddMainFile("/a").code(), absl::StatusCode::kInvalidArgument);
}

TEST(BundleWriterTest, ThereIsOneMainFile) {
  BundleWriter writer = NewWriter();
  ASSERT_TRUE(writer.AddMainFile("a").ok());
  EXPECT_EQ(writer.AddMainFile("b").code(), absl::StatusCode::kInvalidArgument);
}

TEST(BundleWriterTest, CountsAreBounded) {
  BundleWriter arguments = NewWriter();
  for (uint32_t i = 0; i < wire::kMaxArgs; ++i) {
    ASSERT_TRUE(arguments.AddArgument("x").ok());
  }
  EXPECT_EQ(arguments.AddArgument("x").code(), absl::StatusCode::kResourceExhausted);
  BundleWriter variables = NewWriter();
  for (uint32_t i = 0; i < wire::kMaxEnv; ++i) {
    ASSERT_TRUE(variables.AddEnvironment("A", "x").ok());
  }
  EXPECT_EQ(variables.AddEnvironment("A", "x").code(), absl::StatusCode::kResourceExhausted);
  BundleWriter files = NewWriter();
  for (uint32_t i = 0; i < wire::kMaxBundleRecords; ++i) {
    ASSERT_TRUE(files.AddFile("f" + std::to_string(i), "", FileMode::kRegular).ok());
  }
  EXPECT_EQ(files.AddFile("g", "", FileMode::kRegular).code(), absl::StatusCode::kResourceExhausted);
}

TEST(BundleWriterTest, TheSizeIsBoundedBeforeAnythingIsWritten) {
  BundleWriter writer = NewWriter();
  const std::string_view huge(nullptr, wire::kMaxBundleBytes);  // Touching it would crash.
  EXPECT_EQ(writer.AddFile("a", huge, FileMode::kRegular).code(), absl::StatusCode::kResourceExhausted);
}

TEST(BundleWriterTest, AfterAnErrorTheWriterIsSpent) {
  BundleWriter writer = NewWriter();
  const absl::Status first = writer.AddFile("/a", "", FileMode::kRegular);
  EXPECT_EQ(writer.AddArgument("x"), first);
  EXPECT_EQ(writer.Seal().status(), first);
}

TEST(BundleWriterTest, ASealedWriterTakesNothingMore) {
  BundleWriter writer = NewWriter();
  ASSERT_TRUE(writer.Seal().ok());
  EXPECT_EQ(writer.AddArgument("x").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer.Seal().status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace caisson::ipc
