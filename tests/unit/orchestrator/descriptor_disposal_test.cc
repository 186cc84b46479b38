#include "orchestrator/descriptor_disposal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <thread>

#include "common/clock.h"

namespace caisson::orchestrator {
namespace {

constexpr int kLingerSeconds = 600;

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0 || errno != EBADF; }

class DescriptorDisposalTest : public testing::Test {
 protected:
  // Turns the loop until nothing is left; how long that took.
  int64_t RunUntilIdle() {
    const int64_t begin = MonotonicNanos();
    disposal_.WhenIdle([this] { loop_->Stop(); });
    EXPECT_TRUE(loop_->Run().ok());
    return MonotonicNanos() - begin;
  }

  bool IsClosedByAChild(UniqueFd fd) {
    const int number = fd.get();
    disposal_.Take(std::move(fd));
    siginfo_t info{};
    const bool has_child = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
    RunUntilIdle();
    return has_child && !IsOpen(number);
  }

  std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::Create());
  DescriptorDisposal disposal_{*loop_};
};

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

// A memfd of so many bytes, and `beyond` more after its end.
UniqueFd MakeMemfd(int64_t bytes, int64_t beyond, int seals) {
  UniqueFd fd(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(fallocate(fd.get(), 0, 0, bytes), 0);
  EXPECT_EQ(fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, bytes + beyond), 0);
  EXPECT_EQ(fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  EXPECT_TRUE(IsMemfd(fd.get()));
  return fd;
}

constexpr int kAllSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
constexpr int64_t kMib = 1 << 20;

TEST_F(DescriptorDisposalTest, ASmallSealedMemfdIsClosedAtOnce) {
  UniqueFd memfd = MakeMemfd(kMib, 0, kAllSeals);
  const int fd = memfd.get();
  disposal_.Take(std::move(memfd));
  EXPECT_FALSE(IsOpen(fd));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "there is a child";
}

TEST_F(DescriptorDisposalTest, ALargeMemfdIsClosedByAChild) {
  EXPECT_TRUE(IsClosedByAChild(MakeMemfd(kMib + 1, 0, kAllSeals)));
}

TEST_F(DescriptorDisposalTest, AMemfdWithMoreBeyondItsEndIsClosedByAChild) {
  EXPECT_TRUE(IsClosedByAChild(MakeMemfd(1, 4 * kMib, kAllSeals)));
}

TEST_F(DescriptorDisposalTest, AMemfdThatMayGrowIsClosedByAChild) {
  EXPECT_TRUE(IsClosedByAChild(MakeMemfd(1, 0, F_SEAL_WRITE | F_SEAL_SHRINK)));
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

// From here on this thread's children stop at their first call, prctl(PR_SET_PDEATHSIG), until the returned
// listener answers.
UniqueFd StopChildrenAtTheirFirstCall() {
  std::array<sock_filter, 6> code{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_PDEATHSIG, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{code.size(), code.data()};
  EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  return UniqueFd(static_cast<int>(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program)));
}

// The first child to come by is killed, and the others may go on.
class Gatekeeper {
 public:
  explicit Gatekeeper(EventLoop& loop) : loop_(loop), listener_(StopChildrenAtTheirFirstCall()) {
    EXPECT_TRUE(loop_.Watch(listener_.get(), EPOLLIN, [this](uint32_t) { OnChild(); }).ok());
  }
  ~Gatekeeper() { loop_.Unwatch(listener_.get()); }
  Gatekeeper(const Gatekeeper&) = delete;
  Gatekeeper& operator=(const Gatekeeper&) = delete;
  int killed() const { return killed_; }
  int passed() const { return passed_; }

 private:
  void OnChild() {
    seccomp_notif call{};
    if (ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) {
      return;  // it died meanwhile
    }
    if (killed_ == 0) {
      ++killed_;
      EXPECT_EQ(kill(static_cast<pid_t>(call.pid), SIGKILL), 0);
      return;
    }
    ++passed_;
    seccomp_notif_resp go_on{call.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    EXPECT_EQ(ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &go_on), 0);
  }

  EventLoop& loop_;
  UniqueFd listener_;
  int killed_ = 0;
  int passed_ = 0;
};

TEST_F(DescriptorDisposalTest, AChildThatIsKilledBeforeItHasClosedIsFollowedByAnother) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  // Filters cannot be taken off again, so a thread of its own has it.
  std::thread([&] {
    Gatekeeper gatekeeper(*loop_);
    disposal_.Take(UniqueFd(ends[1]));
    RunUntilIdle();
    EXPECT_EQ(gatekeeper.killed(), 1);
    EXPECT_EQ(gatekeeper.passed(), 1);
    EXPECT_FALSE(IsOpen(ends[1]));
  }).join();
  char byte = 0;
  EXPECT_EQ(fcntl(read_end.get(), F_SETFL, O_NONBLOCK), 0);
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
