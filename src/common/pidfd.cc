#include "common/pidfd.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/status.h"

namespace caisson {
namespace {

#ifndef P_PIDFD
constexpr idtype_t kPidFdIdType = static_cast<idtype_t>(3);
#else
constexpr idtype_t kPidFdIdType = P_PIDFD;
#endif

absl::StatusOr<siginfo_t> Wait(int fd, int options) {
  siginfo_t info{};
  for (;;) {
    if (waitid(kPidFdIdType, static_cast<id_t>(fd), &info, WEXITED | options) == 0) {
      break;
    }
    if (errno != EINTR) {
      return ErrnoStatus(errno, "waitid pidfd");
    }
  }
  if (info.si_pid == 0) {
    return absl::UnavailableError("waitid pidfd: still running");
  }
  return info;
}

}  // namespace

absl::StatusOr<PidFd> PidFd::Open(pid_t pid) {
  const long fd = syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) {
    return ErrnoStatus(errno, "pidfd_open");
  }
  return PidFd(UniqueFd(static_cast<int>(fd)));
}

absl::Status PidFd::Kill(int signal_number) const {
  if (syscall(SYS_pidfd_send_signal, fd_.get(), signal_number, nullptr, 0) != 0 && errno != ESRCH) {
    return ErrnoStatus(errno, "pidfd_send_signal");
  }
  return absl::OkStatus();
}

absl::StatusOr<siginfo_t> PidFd::TryReap() { return Wait(fd_.get(), WNOHANG); }

absl::StatusOr<siginfo_t> PidFd::Reap() { return Wait(fd_.get(), 0); }

}  // namespace caisson
