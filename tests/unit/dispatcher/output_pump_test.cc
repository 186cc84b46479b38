#include "dispatcher/output_pump.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/files.h"

namespace caisson::dispatcher {
namespace {

class OutputPumpTest : public testing::Test {
 protected:
  void SetUp() override {
    loop_ = std::move(*EventLoop::Create());
    null_ = std::move(*OpenFile("/dev/null", O_WRONLY));
    resources_ = {null_.get(), scratch_};
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    read_end_ = UniqueFd(ends[0]);
    write_end_ = UniqueFd(ends[1]);
  }

  void MakePump(uint64_t limit) {
    pump_ = std::make_unique<OutputPump>(*loop_, resources_, limit,
                                         OutputPump::Handlers{[this] { return chunks_.size() < room_; },
                                                              [this](uint64_t offset, std::string data) {
                                                                EXPECT_EQ(offset, received_.size());
                                                                received_ += data;
                                                                chunks_.push_back(std::move(data));
                                                              },
                                                              [this] { ++limit_calls_; },
                                                              [this] {
                                                                ++end_calls_;
                                                                loop_->Stop();
                                                              }});
    ASSERT_TRUE(pump_->Start(std::move(read_end_)).ok());
  }

  void Write(const std::string& text) {
    ASSERT_EQ(write(write_end_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  std::unique_ptr<EventLoop> loop_;
  std::vector<char> scratch_ = std::vector<char>(kMaxChunkBytes);
  UniqueFd null_;
  PumpResources resources_;
  UniqueFd read_end_;
  UniqueFd write_end_;
  std::unique_ptr<OutputPump> pump_;
  size_t room_ = 1000;
  std::vector<std::string> chunks_;
  std::string received_;
  int limit_calls_ = 0;
  int end_calls_ = 0;
};

TEST_F(OutputPumpTest, DeliversEverythingAndThenTheEnd) {
  MakePump(100);
  Write("hello");
  write_end_.reset();
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(received_, "hello");
  EXPECT_EQ(end_calls_, 1);
  EXPECT_EQ(limit_calls_, 0);
  EXPECT_TRUE(pump_->ended());
  EXPECT_EQ(pump_->count().bytes, 5U);
  EXPECT_FALSE(pump_->count().truncated);
}

TEST_F(OutputPumpTest, ExactlyTheLimitIsNotTruncated) {
  MakePump(5);
  Write("hello");
  write_end_.reset();
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(limit_calls_, 0);
  EXPECT_FALSE(pump_->count().truncated);
}

TEST_F(OutputPumpTest, BeyondTheLimitIsCountedAndDropped) {
  MakePump(5);
  Write("hello world");
  Write(std::string(30'000, 'x'));
  write_end_.reset();
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(received_, "hello");
  EXPECT_EQ(limit_calls_, 1);
  EXPECT_EQ(pump_->count().bytes, 30'011U);
  EXPECT_EQ(pump_->count().delivered_bytes, 5U);
  EXPECT_TRUE(pump_->count().truncated);
}

TEST_F(OutputPumpTest, WithoutRoomNothingIsReadUntilResumed) {
  room_ = 1;
  MakePump(1'000'000);
  Write(std::string(40'000, 'a'));
  bool resumed = false;
  // The first turn takes one chunk; what follows must wait, although it is readable and then hung up.
  loop_->At(0, [&] {
    Write("two");
    write_end_.reset();
    loop_->At(MonotonicNanos() + 20 * kNanosPerMilli, [&] {
      EXPECT_EQ(chunks_.size(), 1U);
      EXPECT_EQ(end_calls_, 0);
      resumed = true;
      room_ = 1000;
      pump_->Resume();
    });
  });
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_TRUE(resumed);
  EXPECT_EQ(received_.size(), 40'003U);
  EXPECT_EQ(end_calls_, 1);
}

TEST_F(OutputPumpTest, DiscardingGoesOnWithoutRoom) {
  room_ = 0;
  MakePump(1'000'000);
  Write("nobody listens");
  write_end_.reset();
  pump_->Discard();
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(received_, "");
  EXPECT_EQ(pump_->count().bytes, 14U);
  EXPECT_EQ(pump_->count().delivered_bytes, 0U);
}

}  // namespace
}  // namespace caisson::dispatcher
