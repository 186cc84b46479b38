// PidFd: signals and waits that cannot hit a recycled pid.
#ifndef CAISSON_COMMON_PIDFD_H_
#define CAISSON_COMMON_PIDFD_H_

#include <signal.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson {

// A process by descriptor (pidfd_open(2), Linux 5.3). Readable in poll when the process is dead.
class [[nodiscard]] PidFd {
 public:
  PidFd() = default;
  explicit PidFd(UniqueFd fd) : fd_(std::move(fd)) {}

  // Opens `pid`, which must not have been reaped yet, or the pid may already be somebody else's.
  static absl::StatusOr<PidFd> Open(pid_t pid);

  bool valid() const { return fd_.valid(); }
  int get() const { return fd_.get(); }
  // Sends `signal_number`; a process that is already dead is not an error.
  absl::Status Kill(int signal_number) const;
  // Reaps the child. kUnavailable while it is still running; never blocks.
  absl::StatusOr<siginfo_t> TryReap();
  // Blocks until the child is dead and reaps it. For children of ours that end at once by themselves.
  absl::StatusOr<siginfo_t> Reap();
  void reset() { fd_.reset(); }

 private:
  UniqueFd fd_;
};

}  // namespace caisson

#endif  // CAISSON_COMMON_PIDFD_H_
