#include "dispatcher/spool_format.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "common/files.h"
#include "common/status.h"
#include "dispatcher/convert.h"

namespace caisson::dispatcher {
namespace {

class SpoolFormatTest : public testing::Test {
 protected:
  SpoolFormatTest() : directory_(MakeDirectory()), spool_(*OpenFile(directory_, O_RDONLY | O_DIRECTORY)) {
    SpoolSizes room{};
    room.fill(4096);
    EXPECT_TRUE(spool_.Create(run_, room).ok());
  }
  ~SpoolFormatTest() override { std::filesystem::remove_all(directory_); }

  static std::string MakeDirectory() {
    std::string pattern = testing::TempDir() + "caisson-spool-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    return pattern;
  }
  void Append(SpoolPart part, const std::string& bytes) {
    uint64_t& size = sizes_.at(static_cast<size_t>(part));
    ASSERT_TRUE(spool_.Write(run_, part, size, bytes).ok());
    size += bytes.size();
  }
  void AppendEvent(const v1::RunEvent& event) { Append(SpoolPart::kEvents, EventFrame(event, sizes_)); }
  // "accepted", "stdout 0 5", ... until there is no more.
  std::vector<std::string> Read(FollowPosition& position) {
    std::vector<std::string> events;
    while (true) {
      auto next = ReadNextEvent(spool_, run_, position);
      EXPECT_TRUE(next.ok()) << Message(next.status());
      if (!next.ok() || !next->has_value()) {
        return events;
      }
      const v1::RunEvent& event = **next;
      switch (event.event_case()) {
        case v1::RunEvent::kAccepted:
          events.emplace_back("accepted");
          break;
        case v1::RunEvent::kOutput:
          events.push_back(event.output().step() + " " + v1::Stream_Name(event.output().stream()).substr(7) +
                           " " + std::to_string(event.output().offset()) + " " + event.output().data());
          break;
        case v1::RunEvent::kOutputFile:
          events.push_back("file " + event.output_file().path());
          break;
        default:
          events.emplace_back("other");
      }
    }
  }

  std::string directory_;
  Spool spool_;
  const RunId run_ = NewRunId();
  SpoolSizes sizes_{};
};

TEST_F(SpoolFormatTest, EventsComeAfterTheOutputThatCameBeforeThem) {
  AppendEvent(AcceptedEvent("runs/x"));
  Append(SpoolPart::kCompileStderr, "warning");
  AppendEvent(AcceptedEvent("runs/x"));
  Append(SpoolPart::kStdout, "hello");
  Append(SpoolPart::kStderr, "oh");
  v1::OutputFile piece;
  piece.set_path("a");
  Append(SpoolPart::kFiles, FileFrame(piece));
  AppendEvent(AcceptedEvent("runs/x"));
  FollowPosition position;
  EXPECT_EQ(Read(position),
            (std::vector<std::string>{"accepted", "compile STDERR 0 warning", "accepted",
                                      "run STDOUT 0 hello", "run STDERR 0 oh", "file a", "accepted"}));
  EXPECT_TRUE(Read(position).empty());
  Append(SpoolPart::kStdout, " again");
  EXPECT_EQ(Read(position), std::vector<std::string>{"run STDOUT 5  again"});
}

TEST_F(SpoolFormatTest, AReaderGoesOnFromWhereItWas) {
  Append(SpoolPart::kStdout, "hello");
  Append(SpoolPart::kStderr, "oh");
  AppendEvent(AcceptedEvent("runs/x"));
  FollowPosition position;
  position.next.at(static_cast<size_t>(SpoolPart::kStdout)) = 3;
  position.next.at(static_cast<size_t>(SpoolPart::kStderr)) = 2;
  EXPECT_EQ(Read(position), (std::vector<std::string>{"run STDOUT 3 lo", "accepted"}));
}

TEST_F(SpoolFormatTest, LargeOutputComesInPieces) {
  Append(SpoolPart::kStdout, std::string(200'000, 'x'));
  FollowPosition position;
  size_t total = 0;
  while (true) {
    auto next = ReadNextEvent(spool_, run_, position);
    ASSERT_TRUE(next.ok());
    if (!next->has_value()) {
      break;
    }
    EXPECT_LE((*next)->output().data().size(), 65'536U);
    EXPECT_EQ((*next)->output().offset(), total);
    total += (*next)->output().data().size();
  }
  EXPECT_EQ(total, 200'000U);
}

// A crash may have cut what was written anywhere; nothing of it is read as what it is not.
TEST_F(SpoolFormatTest, AFrameThatIsCutOffIsNotRead) {
  AppendEvent(AcceptedEvent("runs/x"));
  const std::string frame = EventFrame(AcceptedEvent("runs/y"), sizes_);
  for (size_t cut = 0; cut < frame.size(); ++cut) {
    ASSERT_TRUE(
        spool_.Write(run_, SpoolPart::kEvents, sizes_.at(0), std::string_view(frame).substr(0, cut)).ok());
    FollowPosition position;
    EXPECT_EQ(Read(position), std::vector<std::string>{"accepted"}) << cut;
  }
}

TEST_F(SpoolFormatTest, AnyBytesAreReadWithoutHarm) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    for (const SpoolPart part : {SpoolPart::kEvents, SpoolPart::kFiles}) {
      std::string bytes(random() % 400, '\0');
      for (char& byte : bytes) {
        byte = static_cast<char>(random() % 4 == 0 ? random() : 0);
      }
      ASSERT_TRUE(spool_.Write(run_, part, 0, bytes).ok());
    }
    FollowPosition position;
    for (int i = 0; i < 1000; ++i) {
      auto next = ReadNextEvent(spool_, run_, position);
      if (!next.ok() || !next->has_value()) {
        break;
      }
    }
  }
}

TEST_F(SpoolFormatTest, AMissingSpoolIsNotFound) {
  FollowPosition position;
  EXPECT_TRUE(absl::IsNotFound(ReadNextEvent(spool_, NewRunId(), position).status()));
}

}  // namespace
}  // namespace caisson::dispatcher
