#include "common/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <string>

#include "common/clock.h"

namespace caisson {
namespace {

constexpr int64_t kMilli = kNanosPerMilli;

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Pipe MakePipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

class EventLoopTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loop = EventLoop::Create();
    ASSERT_TRUE(loop.ok()) << loop.status();
    loop_ = std::move(loop).value();
    // A loop that never stops would hang the whole test run.
    loop_->At(MonotonicNanos() + 20'000 * kMilli, [] { GTEST_FAIL() << "the loop was never stopped"; });
  }

  std::unique_ptr<EventLoop> loop_;
};

TEST_F(EventLoopTest, TimersFireInTheOrderOfTheirDeadlines) {
  std::string order;
  const int64_t now = MonotonicNanos();
  loop_->At(now + 3 * kMilli, [&] {
    order += 'c';
    loop_->Stop();
  });
  loop_->At(now + 1 * kMilli, [&] { order += 'a'; });
  loop_->At(now + 2 * kMilli, [&] { order += 'b'; });
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(order, "abc");
  EXPECT_GE(MonotonicNanos(), now + 3 * kMilli);
}

TEST_F(EventLoopTest, ATimerOfThePastFiresAtOnce) {
  loop_->At(0, [&] { loop_->Stop(); });
  EXPECT_TRUE(loop_->Run().ok());
}

TEST_F(EventLoopTest, ACanceledTimerDoesNotFire) {
  bool fired = false;
  const int64_t now = MonotonicNanos();
  const EventLoop::TimerId id = loop_->At(now, [&] { fired = true; });
  EXPECT_NE(id, 0U);
  loop_->Cancel(id);
  loop_->Cancel(id);
  loop_->Cancel(0);
  loop_->At(now + kMilli, [&] { loop_->Stop(); });
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_FALSE(fired);
}

TEST_F(EventLoopTest, ATimerMayCancelAnotherThatIsDueToo) {
  bool fired = false;
  EventLoop::TimerId second = 0;
  loop_->At(1, [&] { loop_->Cancel(second); });
  second = loop_->At(2, [&] { fired = true; });
  loop_->At(3, [&] { loop_->Stop(); });
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_FALSE(fired);
}

TEST_F(EventLoopTest, AReadableDescriptorCallsItsHandler) {
  const Pipe pipe = MakePipe();
  ASSERT_TRUE(loop_
                  ->Watch(pipe.read_end.get(), EPOLLIN,
                          [&](uint32_t events) {
                            EXPECT_NE(events & EPOLLIN, 0U);
                            loop_->Stop();
                          })
                  .ok());
  ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
  EXPECT_TRUE(loop_->Run().ok());
}

TEST_F(EventLoopTest, AClosedPeerIsReportedWithoutBeingAskedFor) {
  Pipe pipe = MakePipe();
  ASSERT_TRUE(loop_
                  ->Watch(pipe.read_end.get(), 0,
                          [&](uint32_t events) {
                            EXPECT_NE(events & EPOLLHUP, 0U);
                            loop_->Stop();
                          })
                  .ok());
  pipe.write_end.reset();
  EXPECT_TRUE(loop_->Run().ok());
}

TEST_F(EventLoopTest, RewatchChangesWhatIsWaitedFor) {
  const Pipe pipe = MakePipe();
  int calls = 0;
  ASSERT_TRUE(loop_
                  ->Watch(pipe.write_end.get(), EPOLLOUT,
                          [&](uint32_t) {
                            ++calls;
                            ASSERT_TRUE(loop_->Rewatch(pipe.write_end.get(), 0).ok());
                            loop_->At(MonotonicNanos() + 2 * kMilli, [&] { loop_->Stop(); });
                          })
                  .ok());
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, AHandlerMayUnwatchItself) {
  const Pipe pipe = MakePipe();
  int calls = 0;
  ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
  std::string kept = "still here";
  ASSERT_TRUE(loop_
                  ->Watch(pipe.read_end.get(), EPOLLIN,
                          [&, kept](uint32_t) {
                            ++calls;
                            loop_->Unwatch(pipe.read_end.get());
                            EXPECT_EQ(kept, "still here");  // The handler's own captures outlive its Unwatch.
                            loop_->At(MonotonicNanos() + 2 * kMilli, [&] { loop_->Stop(); });
                          })
                  .ok());
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(calls, 1);
}

// Two descriptors are ready in one batch. Whichever handler comes first closes the other one and watches a
// new descriptor that takes its number; the old event must not reach the new handler.
TEST_F(EventLoopTest, AnEventOfAClosedDescriptorMissesTheOneThatTookItsNumber) {
  std::array<Pipe, 2> pipes{MakePipe(), MakePipe()};
  Pipe silent = MakePipe();
  int stale_calls = 0;
  int first_calls = 0;
  for (size_t i = 0; i < pipes.size(); ++i) {
    ASSERT_EQ(write(pipes.at(i).write_end.get(), "x", 1), 1);
    ASSERT_TRUE(loop_
                    ->Watch(pipes.at(i).read_end.get(), EPOLLIN,
                            [&, i](uint32_t) {
                              ++first_calls;
                              loop_->Unwatch(pipes.at(i).read_end.get());
                              const int other = pipes.at(1 - i).read_end.get();
                              loop_->Unwatch(other);
                              ASSERT_EQ(dup3(silent.read_end.get(), other, O_CLOEXEC), other);
                              ASSERT_TRUE(
                                  loop_->Watch(other, EPOLLIN, [&](uint32_t) { ++stale_calls; }).ok());
                              loop_->At(MonotonicNanos() + 2 * kMilli, [&] { loop_->Stop(); });
                            })
                    .ok());
  }
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(first_calls, 1);
  EXPECT_EQ(stale_calls, 0);
}

TEST_F(EventLoopTest, WatchingTwiceOrWatchingNothingFails) {
  const Pipe pipe = MakePipe();
  EXPECT_TRUE(loop_->Watch(pipe.read_end.get(), EPOLLIN, [](uint32_t) {}).ok());
  EXPECT_FALSE(loop_->Watch(pipe.read_end.get(), EPOLLIN, [](uint32_t) {}).ok());
  EXPECT_FALSE(loop_->Watch(-1, EPOLLIN, [](uint32_t) {}).ok());
  loop_->Unwatch(pipe.read_end.get());
  EXPECT_FALSE(loop_->Rewatch(pipe.read_end.get(), EPOLLIN).ok());
}

}  // namespace
}  // namespace caisson
