#include "common/pidfd.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/status.h"

namespace caisson {
namespace {

constexpr int kPollMillis = 20'000;

PidFd StartChild(int exit_code, bool waits) {
  const pid_t child = fork();
  if (child == 0) {
    if (waits) {
      pause();
    }
    _exit(exit_code);
  }
  absl::StatusOr<PidFd> opened = PidFd::Open(child);
  EXPECT_TRUE(opened.ok()) << opened.status();
  return std::move(opened).value();
}

bool BecomesReadable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return poll(&poll_fd, 1, kPollMillis) == 1;
}

TEST(PidFdTest, AnExitCodeIsReaped) {
  PidFd child = StartChild(7, false);
  const absl::StatusOr<siginfo_t> info = child.Reap();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->si_code, CLD_EXITED);
  EXPECT_EQ(info->si_status, 7);
}

TEST(PidFdTest, ARunningChildIsUnavailableUntilItIsKilled) {
  PidFd child = StartChild(0, true);
  EXPECT_EQ(child.TryReap().status().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(child.Kill(SIGKILL).ok());
  ASSERT_TRUE(BecomesReadable(child.get()));
  const absl::StatusOr<siginfo_t> info = child.TryReap();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->si_code, CLD_KILLED);
  EXPECT_EQ(info->si_status, SIGKILL);
}

TEST(PidFdTest, KillingADeadProcessIsNotAnError) {
  PidFd child = StartChild(0, false);
  ASSERT_TRUE(child.Reap().ok());
  EXPECT_TRUE(child.Kill(SIGKILL).ok());
}

TEST(PidFdTest, AReapedPidCannotBeOpened) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(PidFd::Open(child).ok());
}

}  // namespace
}  // namespace caisson
