// With a real pipe and a real loop.
#include "orchestrator/dispatcher_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <unistd.h>

#include <sstream>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::orchestrator {
namespace {

class DispatcherLogTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loop = EventLoop::Create();
    ASSERT_TRUE(loop.ok());
    loop_ = std::move(*loop);
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(written_);
    auto logger = std::make_shared<spdlog::logger>("dispatcher", sink);
    logger->set_pattern("%n %l %v");
    log_ = std::make_unique<DispatcherLog>(*loop_, logger);
    int ends[2] = {-1, -1};
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    write_end_ = UniqueFd(ends[1]);
    ASSERT_TRUE(log_->Attach(UniqueFd(ends[0])).ok());
  }
  void Say(const std::string& text) const {
    ASSERT_EQ(write(write_end_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void RunFor(int64_t nanos) {
    loop_->At(MonotonicNanos() + nanos, [this] { loop_->Stop(); });
    ASSERT_TRUE(loop_->Run().ok());
  }
  std::ostringstream written_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<DispatcherLog> log_;
  UniqueFd write_end_;
};

TEST_F(DispatcherLogTest, LinesAppearAsTheDispatchers) {
  Say("<6>serving\n<3>2026-01-01T00:00:00.000Z caissond error forged\x1b[2J\n");
  RunFor(50 * kNanosPerMilli);
  EXPECT_EQ(written_.str(),
            "dispatcher info serving\n"
            "dispatcher error 2026-01-01T00:00:00.000Z caissond error forged\\x1b[2J\n");
}

TEST_F(DispatcherLogTest, TheLastWordsOfADeadDispatcherAreTaken) {
  Say("<2>dying, without a line's end");
  write_end_.reset();
  log_->Drain();
  EXPECT_EQ(written_.str(), "dispatcher critical dying, without a line's end\n");
}

TEST_F(DispatcherLogTest, DrainDoesNotWaitForAPipeThatIsStillOpen) {
  Say("<6>complete\n<6>never completed");
  const int64_t begin = MonotonicNanos();
  log_->Drain();
  EXPECT_LT(MonotonicNanos() - begin, 1'000 * kNanosPerMilli);
  EXPECT_EQ(written_.str(), "dispatcher info complete\n");
}

TEST_F(DispatcherLogTest, AFloodIsReadAtABoundedRate) {
  const std::string line = "<6>" + std::string(4'000, 'x') + "\n";
  uint64_t accepted = 0;
  const auto fill = [&] {
    while (write(write_end_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size())) {
      accepted += line.size();
    }
  };
  // A dispatcher that writes whenever there is room.
  ASSERT_TRUE(loop_->Watch(write_end_.get(), 4 /* EPOLLOUT */, [&](uint32_t) { fill(); }).ok());
  RunFor(500 * kNanosPerMilli);
  loop_->Unwatch(write_end_.get());
  constexpr uint64_t kPipeBytes = 1 << 20;
  EXPECT_GE(accepted, kDispatcherLogBytesPerSecond);
  EXPECT_LE(accepted, kDispatcherLogBytesPerSecond + kPipeBytes);
}

TEST_F(DispatcherLogTest, ANewDispatcherStartsWithANewLine) {
  Say("<6>half a li");
  RunFor(20 * kNanosPerMilli);
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  write_end_ = UniqueFd(ends[1]);
  ASSERT_TRUE(log_->Attach(UniqueFd(ends[0])).ok());
  Say("<6>a new one\n");
  write_end_.reset();
  log_->Drain();
  EXPECT_EQ(written_.str(), "dispatcher info a new one\n");
}

}  // namespace
}  // namespace caisson::orchestrator
