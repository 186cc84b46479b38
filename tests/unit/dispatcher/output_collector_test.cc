#include "dispatcher/output_collector.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "ipc/output_records.h"

namespace caisson::dispatcher {
namespace {

class OutputCollectorTest : public testing::Test, public ipc::OutputSink {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    loop_ = std::move(*EventLoop::Create());
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    write_end_ = UniqueFd(ends[1]);
    collector_ = std::make_unique<OutputCollector>(*loop_, scratch_, *this,
                                                   OutputCollector::Handlers{[this] { return room_; },
                                                                             [this] {
                                                                               ++ends_;
                                                                               loop_->Stop();
                                                                             }});
    ASSERT_TRUE(collector_->Start(UniqueFd(ends[0])).ok());
  }

  void Write(const std::string& text) {
    ASSERT_EQ(write(write_end_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void OnFile(const ipc::OutputFileInfo& file) override { files_.emplace_back(file.path); }
  void OnData(std::span<const std::byte> bytes) override { bytes_ += bytes.size(); }
  void OnFileEnd(bool /*complete*/, int /*error_number*/) override {}
  void OnRefused(std::string_view /*path*/, wire::OutputRefusal /*reason*/, int /*error_number*/) override {}
  void OnDone(uint64_t /*unlisted*/) override { done_ = true; }

  std::unique_ptr<EventLoop> loop_;
  std::vector<char> scratch_ = std::vector<char>(64UL * 1024);
  UniqueFd write_end_;
  std::unique_ptr<OutputCollector> collector_;
  bool room_ = true;
  int ends_ = 0;
  std::vector<std::string> files_;
  size_t bytes_ = 0;
  bool done_ = false;
};

using ipc::Data;
using ipc::Done;
using ipc::File;
using ipc::WholeFile;

TEST_F(OutputCollectorTest, HandsOnEverythingAndThenTheEnd) {
  Write(WholeFile("a", "abc") + WholeFile("b", "") + Done());
  write_end_.reset();
  collector_->Resume();
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(files_, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(bytes_, 3U);
  EXPECT_TRUE(done_);
  EXPECT_EQ(ends_, 1);
  EXPECT_TRUE(collector_->ended());
  EXPECT_TRUE(collector_->violation().ok());
}

TEST_F(OutputCollectorTest, AStreamThatIsCutOffEndsWithoutAViolation) {
  Write(File("a", 9) + Data("abc"));
  write_end_.reset();
  collector_->Resume();
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(ends_, 1);
  EXPECT_FALSE(done_);
  EXPECT_TRUE(collector_->violation().ok());
}

TEST_F(OutputCollectorTest, AViolationEndsItWhileTheWriterStillWrites) {
  Write(WholeFile("a", "abc") + Data("stray") + WholeFile("b", ""));
  collector_->Resume();
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(files_, std::vector<std::string>{"a"});
  EXPECT_EQ(ends_, 1);
  EXPECT_FALSE(collector_->violation().ok());
  EXPECT_EQ(write(write_end_.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(OutputCollectorTest, WithoutRoomNothingIsReadAndTheWriterIsHeldUp) {
  const std::string piece = Data(std::string(wire::kMaxOutputChunkBytes, 'x'));
  Write(File("a", 100 * wire::kMaxOutputChunkBytes));
  room_ = false;
  collector_->Resume();
  bool resumed = false;
  loop_->At(MonotonicNanos() + 20 * kNanosPerMilli, [&] {
    EXPECT_TRUE(files_.empty());
    // Nobody reads, so the pipe takes its 64 KiB and no more.
    while (write(write_end_.get(), piece.data(), 4096) > 0) {
    }
    EXPECT_EQ(errno, EAGAIN);
    write_end_.reset();
    resumed = true;
    room_ = true;
    collector_->Resume();
  });
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_TRUE(resumed);
  EXPECT_EQ(files_, std::vector<std::string>{"a"});
  EXPECT_EQ(ends_, 1);
}

TEST_F(OutputCollectorTest, ClosingItEndsTheWriter) {
  Write(File("a", 9));
  collector_->Resume();
  collector_->Close();
  EXPECT_TRUE(collector_->ended());
  EXPECT_EQ(write(write_end_.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_EQ(ends_, 0);
}

}  // namespace
}  // namespace caisson::dispatcher
