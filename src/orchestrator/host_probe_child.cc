#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "common/clock.h"
#include "common/pidfd.h"
#include "common/status.h"
#include "orchestrator/host_probes.h"

namespace caisson::orchestrator {
namespace {

constexpr int64_t kPatienceNanos = 10'000 * kNanosPerMilli;
constexpr size_t kMaxMessageBytes = 512;

[[noreturn]] void RunProbe(const std::function<absl::Status()>& probe, int report) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const absl::Status status = probe();
  if (status.ok()) {
    _exit(0);
  }
  const std::string message = Message(status).substr(0, kMaxMessageBytes);
  static_cast<void>(!write(report, message.data(), message.size()));
  _exit(1);
}

// Reads until the child closes the pipe; false when patience ends first.
bool ReadReport(int report, std::string& message) {
  const int64_t deadline = MonotonicNanos() + kPatienceNanos;
  for (;;) {
    const int64_t left_ms = (deadline - MonotonicNanos()) / kNanosPerMilli;
    pollfd waited{report, POLLIN, 0};
    if (left_ms <= 0 || poll(&waited, 1, static_cast<int>(left_ms)) == 0) {
      return false;
    }
    std::array<char, kMaxMessageBytes> buffer{};
    const ssize_t got = read(report, buffer.data(), buffer.size());
    if (got == 0) {
      return true;
    }
    if (got > 0) {
      message.append(buffer.data(), static_cast<size_t>(got));
    }
  }
}

}  // namespace

absl::Status InChild(const std::function<absl::Status()>& probe) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "pipe");
  }
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) {
    return ErrnoStatus(errno, "fork");
  }
  if (pid == 0) {
    RunProbe(probe, write_end.get());
  }
  write_end.reset();
  ASSIGN_OR_RETURN(PidFd child, PidFd::Open(pid));
  std::string message;
  const bool ended = ReadReport(read_end.get(), message);
  if (!ended) {
    RETURN_IF_ERROR(child.Kill(SIGKILL));
  }
  ASSIGN_OR_RETURN(const siginfo_t info, child.Reap());
  if (!ended) {
    return absl::DeadlineExceededError("no answer within ten seconds");
  }
  if (info.si_code == CLD_EXITED && info.si_status == 0) {
    return absl::OkStatus();
  }
  if (info.si_code == CLD_EXITED && !message.empty()) {
    return absl::FailedPreconditionError(message);
  }
  return absl::FailedPreconditionError("the probe ended with " +
                                       std::string(info.si_code == CLD_EXITED ? "status " : "signal ") +
                                       std::to_string(info.si_status));
}

CheckResult FromStatus(const std::string& name, const absl::Status& status, const std::string& detail,
                       const std::string& mend) {
  if (status.ok()) {
    return {name, CheckState::kOk, detail, ""};
  }
  return {name, CheckState::kFail, Message(status), mend};
}

}  // namespace caisson::orchestrator
