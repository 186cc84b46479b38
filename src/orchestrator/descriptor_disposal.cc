// Run by caissond as root, single-threaded. The child of a few raw system calls closes one descriptor that
// came from a dispatcher under an attacker's control, and may block for ever in that.
#include "orchestrator/descriptor_disposal.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "common/clock.h"
#include "common/memfd.h"
#include "common/status.h"

namespace caisson::orchestrator {
namespace {

// Freeing this much takes less than the child's fork.
constexpr uint64_t kSmallBytes = 1U << 20U;
constexpr int64_t kPatienceNanos = 1'000 * kNanosPerMilli;

[[noreturn]] void CloseAndExit(int fd, pid_t parent) {
  // Whoever may wait for ever must not outlive caissond.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent) {
    syscall(SYS_close, fd);
  }
  for (;;) {
    syscall(SYS_exit, 0);
  }
}

// A fork that shares the descriptor table: what the child closes is closed here too, while only the child
// waits.
PidFd StartClosing(int fd) {
  int pidfd = -1;
  const pid_t parent = getpid();
  const long pid = syscall(SYS_clone, CLONE_FILES | CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
  if (pid == 0) {
    CloseAndExit(fd, parent);
  }
  return pid < 0 ? PidFd() : PidFd(UniqueFd(pidfd));
}

}  // namespace

bool IsMemfd(int fd) { return fcntl(fd, F_GET_SEALS) >= 0; }

DescriptorDisposal::~DescriptorDisposal() {
  loop_.Cancel(timer_);
  if (child_.valid()) {
    loop_.Unwatch(child_.get());
  }
  // caissond ends, and the kernel with it the child. What still waits would make us wait.
  for (UniqueFd& fd : waiting_) {
    static_cast<void>(fd.release());
  }
}

void DescriptorDisposal::Take(UniqueFd fd) {
  if (!fd.valid() || CheckSealedMemfd(fd.get(), kSmallBytes).ok()) {
    return;
  }
  waiting_.push_back(std::move(fd));
  Next();
}

void DescriptorDisposal::Take(std::vector<UniqueFd> fds) {
  for (UniqueFd& fd : fds) {
    Take(std::move(fd));
  }
}

void DescriptorDisposal::WhenIdle(std::function<void()> on_idle) {
  on_idle_ = std::move(on_idle);
  Next();
}

void DescriptorDisposal::Next() {
  if (child_.valid()) {
    return;
  }
  if (waiting_.empty()) {
    if (on_idle_ != nullptr) {
      std::exchange(on_idle_, nullptr)();
    }
    return;
  }
  child_ = StartClosing(waiting_.front().get());
  if (!child_.valid()) {
    // Out of processes or memory. Nobody waits for the descriptors while they wait for that to pass.
    timer_ = loop_.At(MonotonicNanos() + kPatienceNanos, [this] { Next(); });
    return;
  }
  // The number is the child's to close now, and nobody's after that.
  static_cast<void>(waiting_.front().release());
  waiting_.pop_front();
  // Fails only without memory or beyond the limit of epoll watches.
  CAISSON_CHECK(loop_.Watch(child_.get(), EPOLLIN, [this](uint32_t) { OnChildDead(); }).ok());
  timer_ = loop_.At(MonotonicNanos() + kPatienceNanos, [this] {
    spdlog::error("a descriptor that a dispatcher left does not close; there is no new one before it has");
    static_cast<void>(child_.Kill(SIGKILL));
  });
}

void DescriptorDisposal::OnChildDead() {
  if (!child_.TryReap().ok()) {
    return;
  }
  loop_.Cancel(timer_);
  timer_ = 0;
  loop_.Unwatch(child_.get());
  child_.reset();
  Next();
}

}  // namespace caisson::orchestrator
