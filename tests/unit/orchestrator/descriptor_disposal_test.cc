#include "orchestrator/descriptor_disposal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/clock.h"

namespace caisson::orchestrator {
namespace {

constexpr int kLingerSeconds = 600;

class DescriptorDisposalTest : public testing::Test {
 protected:
  // Turns the loop until nothing is left; how long that took.
  int64_t RunUntilIdle() {
    const int64_t begin = MonotonicNanos();
    disposal_.WhenIdle([this] { loop_->Stop(); });
    EXPECT_TRUE(loop_->Run().ok());
    return MonotonicNanos() - begin;
  }

  std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::Create());
  DescriptorDisposal disposal_{*loop_};
};

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0 || errno != EBADF; }

// A connected TCP socket whose close waits until the other end has read everything, which it never does.
struct Lingering {
  Lingering() {
    const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener.get(), generic, size), 0);
    EXPECT_EQ(getsockname(listener.get(), generic, &size), 0);
    EXPECT_EQ(listen(listener.get(), 1), 0);
    near = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(near.get(), generic, size), 0);
    far = UniqueFd(accept(listener.get(), nullptr, nullptr));
    const std::array<char, 65536> block{};
    while (send(near.get(), block.data(), block.size(), MSG_DONTWAIT) > 0) {
    }
    const linger wait{1, kLingerSeconds};
    EXPECT_EQ(setsockopt(near.get(), SOL_SOCKET, SO_LINGER, &wait, sizeof wait), 0);
  }
  UniqueFd near;
  UniqueFd far;
};

TEST_F(DescriptorDisposalTest, WhatIsTakenIsClosed) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  disposal_.Take(UniqueFd(ends[1]));
  RunUntilIdle();
  char byte = 0;
  EXPECT_EQ(read(read_end.get(), &byte, 1), 0);
  EXPECT_FALSE(IsOpen(ends[1]));
}

TEST_F(DescriptorDisposalTest, AMemfdIsClosedAtOnce) {
  const int fd = memfd_create("test", MFD_CLOEXEC);
  EXPECT_TRUE(IsMemfd(fd));
  disposal_.Take(UniqueFd(fd));
  EXPECT_FALSE(IsOpen(fd));
}

TEST_F(DescriptorDisposalTest, OtherKindsAreNoMemfds) {
  for (const char* path : {"/dev/null", "/proc/self/status", "/"}) {
    const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
    EXPECT_FALSE(IsMemfd(fd.get())) << path;
  }
  EXPECT_FALSE(IsMemfd(-1));
}

TEST_F(DescriptorDisposalTest, OneThatBlocksHoldsNobodyUpAndEnds) {
  Lingering lingering;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const int near = lingering.near.get();
  const int64_t begin = MonotonicNanos();
  disposal_.Take(std::move(lingering.near));
  disposal_.Take(UniqueFd(ends[1]));
  EXPECT_LT(MonotonicNanos() - begin, 500 * kNanosPerMilli);
  EXPECT_LT(RunUntilIdle(), 20'000 * kNanosPerMilli);
  EXPECT_FALSE(IsOpen(near));
  char byte = 0;
  EXPECT_EQ(read(read_end.get(), &byte, 1), 0);
}

TEST_F(DescriptorDisposalTest, ManyAreClosedAndNoChildIsLeft) {
  for (int i = 0; i < 50; ++i) {
    disposal_.Take(UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)));
  }
  RunUntilIdle();
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace caisson::orchestrator
