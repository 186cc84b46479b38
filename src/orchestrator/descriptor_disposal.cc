// Run by caissond as root, single-threaded. The child of a few raw system calls closes one descriptor that
// came from a dispatcher under an attacker's control, and may block for ever in that.
//
// It does so by putting a descriptor of ours into its place (dup3 closes what was there), so the number stays
// taken, and a child that was killed, at whatever moment, can be followed by another that does the same
// again. Were the number free, nobody could tell whether what it stands for is still the dispatcher's.
#include "orchestrator/descriptor_disposal.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
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

[[noreturn]] void ReplaceAndExit(int fd, int stand_in, pid_t parent) {
  // Whoever may wait for ever must not outlive caissond.
  const bool replaced = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent &&
                        syscall(SYS_dup3, stand_in, fd, O_CLOEXEC) == fd;
  for (;;) {
    syscall(SYS_exit, replaced ? 0 : 1);
  }
}

// A fork that shares the descriptor table: what the child closes is closed here too, while only the child
// waits.
PidFd StartReplacing(int fd, int stand_in) {
  int pidfd = -1;
  const pid_t parent = getpid();
  const long pid = syscall(SYS_clone, CLONE_FILES | CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
  if (pid == 0) {
    ReplaceAndExit(fd, stand_in, parent);
  }
  return pid < 0 ? PidFd() : PidFd(UniqueFd(pidfd));
}

UniqueFd MakeStandIn() { return UniqueFd(eventfd(0, EFD_CLOEXEC)); }

}  // namespace

// One without it can be made later, when descriptors are free again.
DescriptorDisposal::DescriptorDisposal(EventLoop& loop) : loop_(loop), stand_in_(MakeStandIn()) {}

bool IsMemfd(int fd) { return fcntl(fd, F_GET_SEALS) >= 0; }

DescriptorDisposal::~DescriptorDisposal() {
  loop_.Cancel(timer_);
  if (child_.valid()) {
    loop_.Unwatch(child_.get());
  }
  // caissond ends, and the kernel with it the child. What still waits would make us wait.
  static_cast<void>(current_.release());
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
  if (current_.valid()) {
    return;
  }
  if (waiting_.empty()) {
    if (on_idle_ != nullptr) {
      std::exchange(on_idle_, nullptr)();
    }
    return;
  }
  current_ = std::move(waiting_.front());
  waiting_.pop_front();
  StartChild();
}

void DescriptorDisposal::StartChild() {
  if (!stand_in_.valid()) {
    stand_in_ = MakeStandIn();
  }
  if (stand_in_.valid()) {
    child_ = StartReplacing(current_.get(), stand_in_.get());
  }
  if (!child_.valid()) {
    // Out of descriptors, processes or memory. Nobody waits for the descriptors while they wait for that to
    // pass.
    timer_ = loop_.At(MonotonicNanos() + kPatienceNanos, [this] { StartChild(); });
    return;
  }
  // Fails only without memory or beyond the limit of epoll watches.
  CAISSON_CHECK(loop_.Watch(child_.get(), EPOLLIN, [this](uint32_t) { OnChildDead(); }).ok());
  timer_ = loop_.At(MonotonicNanos() + kPatienceNanos, [this] {
    spdlog::error("a descriptor that a dispatcher left does not close; there is no new one before it has");
    static_cast<void>(child_.Kill(SIGKILL));
  });
}

void DescriptorDisposal::OnChildDead() {
  const absl::StatusOr<siginfo_t> ended = child_.TryReap();
  if (!ended.ok()) {
    return;
  }
  loop_.Cancel(timer_);
  timer_ = 0;
  loop_.Unwatch(child_.get());
  child_.reset();
  if (ended->si_code != CLD_EXITED || ended->si_status != 0) {
    return StartChild();
  }
  current_.reset();  // a descriptor of ours
  Next();
}

}  // namespace caisson::orchestrator
