#include "orchestrator/held_locks.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>

#include "privileged_support.h"

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kMargin = 2;  // for each thread

int64_t Soon() { return MonotonicNanos() + kPatienceNanos; }

TEST(HeldLocksTest, OnlyLocksOfProcessesCountInTheKernelsText) {
  EXPECT_EQ(CountPosixLocks(""), 0U);
  EXPECT_EQ(CountPosixLocks("pos:\t0\nflags:\t0100002\nmnt_id:\t30\nino:\t5\n"), 0U);
  EXPECT_EQ(CountPosixLocks("pos:\t0\nlock:\t1: POSIX  ADVISORY  WRITE 7 00:2b:17 0 EOF\n"
                            "lock:\t2: POSIX  ADVISORY  READ 7 00:2b:17 0 9\n"
                            "lock:\t3: FLOCK  ADVISORY  WRITE 7 00:2b:17 0 EOF\n"
                            "lock:\t4: OFDLCK ADVISORY  WRITE -1 00:2b:17 0 EOF\n"),
            2U);
}

// A process that takes `locks` locks of its own, one of its open file and one of flock(2), and waits.
class Holder {
 public:
  explicit Holder(int locks) {
    pid_ = fork();
    if (pid_ == 0) {
      _exit(Hold(locks));
    }
    held_.CloseWrite();
    EXPECT_TRUE(held_.Hear());
  }
  ~Holder() {
    kill(pid_, SIGKILL);
    WaitFor(pid_);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  pid_t pid() const { return pid_; }

 private:
  int Hold(int locks) const {
    const int fd = memfd_create("locked", MFD_CLOEXEC);
    const int copy = dup(fd);
    for (int i = 0; i < locks; ++i) {
      struct flock lock {};
      lock.l_type = F_WRLCK;
      lock.l_start = 2 * i;
      lock.l_len = 1;
      if (fcntl(i % 2 == 0 ? fd : copy, F_SETLK, &lock) != 0) {
        return 1;
      }
    }
    struct flock of_file {};
    of_file.l_type = F_RDLCK;
    of_file.l_start = 1'000'000;
    if (fcntl(memfd_create("other", MFD_CLOEXEC), F_OFD_SETLK, &of_file) != 0 || flock(fd, LOCK_EX) != 0) {
      return 1;
    }
    held_.Say();
    pause();
    return 0;
  }
  Pipe held_;
  pid_t pid_ = -1;
};

TEST(HeldLocksTest, EveryLockOfARealProcessCountsOnceForItsOpenFileOrMore) {
  CAISSON_NEEDS_ROOT();
  const Holder holder(1000);
  const auto held = CountHeldLocks([&] { return std::vector<pid_t>{holder.pid()}; }, Soon());
  ASSERT_TRUE(held.has_value());
  // fd and its copy are one open file, which the kernel shows with all its locks under either number.
  EXPECT_GE(*held, 1000 + kMargin);
  EXPECT_LE(*held, 2000 + kMargin);
}

TEST(HeldLocksTest, WhatWasUnlockedDoesNotCount) {
  CAISSON_NEEDS_ROOT();
  const Holder holder(0);
  EXPECT_EQ(CountHeldLocks([&] { return std::vector<pid_t>{holder.pid()}; }, Soon()), kMargin);
}

TEST(HeldLocksTest, AThreadThatHasEndedHoldsNothing) {
  CAISSON_NEEDS_ROOT();
  const pid_t ended = fork();
  if (ended == 0) {
    _exit(0);
  }
  WaitFor(ended);
  EXPECT_EQ(CountHeldLocks([&] { return std::vector<pid_t>{ended}; }, Soon()), kMargin);
}

TEST(HeldLocksTest, ThreadsThatKeepAppearingCannotBeCounted) {
  CAISSON_NEEDS_ROOT();
  pid_t next = 1;
  EXPECT_EQ(CountHeldLocks([&] { return std::vector<pid_t>{next++}; }, Soon()), std::nullopt);
}

TEST(HeldLocksTest, OneNewThreadIsLookedAtToo) {
  CAISSON_NEEDS_ROOT();
  const Holder first(0);
  const Holder second(100);
  int calls = 0;
  const auto held = CountHeldLocks(
      [&] {
        return ++calls == 1 ? std::vector<pid_t>{first.pid()} : std::vector<pid_t>{first.pid(), second.pid()};
      },
      Soon());
  ASSERT_TRUE(held.has_value());
  EXPECT_GE(*held, 100 + 2 * kMargin);
}

TEST(HeldLocksTest, TheDeadlineEndsTheCount) {
  CAISSON_NEEDS_ROOT();
  const Holder holder(1);
  EXPECT_EQ(CountHeldLocks([&] { return std::vector<pid_t>{holder.pid()}; }, MonotonicNanos() - 1),
            std::nullopt);
}

TEST(LockCounterTest, CountingIsABoundedShareOfTheTime) {
  CAISSON_NEEDS_ROOT();
  LockCounter counter;
  const Holder holder(100);
  const int64_t begin = MonotonicNanos();
  EXPECT_GE(counter.Count([&] { return std::vector<pid_t>{holder.pid()}; }), 100U);
  const int64_t spent = MonotonicNanos() - begin;
  EXPECT_GT(counter.next_nanos(), begin + spent);
  EXPECT_LE(counter.next_nanos(), begin + 10 * spent);
  EXPECT_EQ(counter.Count([]() -> absl::StatusOr<std::vector<pid_t>> { return absl::InternalError("no"); }),
            UINT64_MAX);
}

}  // namespace
}  // namespace caisson::orchestrator
