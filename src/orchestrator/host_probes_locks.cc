// What locks a process: the syscall filter with its notifications, and Landlock; and the descriptors caissond
// works with. Everything that sticks is done to children.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/files.h"
#include "common/memfd.h"
#include "common/pidfd.h"
#include "common/status.h"
#include "orchestrator/host_check_program.h"
#include "orchestrator/host_probes.h"
#include "sandbox/landlock_host.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace caisson::orchestrator {
namespace {

constexpr int kNotifyPatienceMs = 5'000;

absl::Status Must(long result, const char* what) {
  return result < 0 ? ErrnoStatus(errno, what) : absl::OkStatus();
}

absl::Status Expect(bool condition, const char* otherwise) {
  return condition ? absl::OkStatus() : absl::FailedPreconditionError(otherwise);
}

// A filter that notifies of getppid(2) and allows all else.
absl::StatusOr<UniqueFd> InstallNotifyingFilter(unsigned long more_flags) {
  std::array<sock_filter, 4> program{{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getppid},
                                      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF},
                                      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  RETURN_IF_ERROR(Must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs"));
  UniqueFd listener(static_cast<int>(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | more_flags, &filter)));
  if (!listener.valid()) {
    return ErrnoStatus(errno, "load a filter with a listener");
  }
  return listener;
}

// The child makes the call; this process answers it with EPERM.
absl::Status AnswerNotification(unsigned long more_flags) {
  ASSIGN_OR_RETURN(const UniqueFd listener, InstallNotifyingFilter(more_flags));
  const pid_t pid = fork();
  RETURN_IF_ERROR(Must(pid, "fork"));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(syscall(SYS_getppid) == -1 && errno == EPERM ? 0 : 1);
  }
  ASSIGN_OR_RETURN(PidFd child, PidFd::Open(pid));
  pollfd waited{listener.get(), POLLIN, 0};
  RETURN_IF_ERROR(Expect(poll(&waited, 1, kNotifyPatienceMs) == 1, "no notification came"));
  seccomp_notif request{};
  RETURN_IF_ERROR(Must(ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &request), "receive a notification"));
  RETURN_IF_ERROR(Expect(request.data.nr == SYS_getppid, "the notification names another call"));
  seccomp_notif_resp answer{};
  answer.id = request.id;
  answer.error = -EPERM;
  RETURN_IF_ERROR(Must(ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer), "answer a notification"));
  ASSIGN_OR_RETURN(const siginfo_t info, child.Reap());
  return Expect(info.si_code == CLD_EXITED && info.si_status == 0, "the answer did not reach the caller");
}

// Only /proc may be read; a file that modes and mounts let root read must then be refused.
absl::Status RefuseByLandlock() {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE;
  const UniqueFd rules(static_cast<int>(
      syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0)));
  RETURN_IF_ERROR(Must(rules.get(), "create a Landlock ruleset"));
  ASSIGN_OR_RETURN(const UniqueFd proc, OpenFile("/proc", O_PATH | O_DIRECTORY));
  landlock_path_beneath_attr beneath{};
  beneath.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
  beneath.parent_fd = proc.get();
  RETURN_IF_ERROR(Must(syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &beneath, 0),
                       "add a Landlock rule"));
  RETURN_IF_ERROR(Must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs"));
  RETURN_IF_ERROR(Must(syscall(SYS_landlock_restrict_self, rules.get(), 0), "enforce the Landlock ruleset"));
  RETURN_IF_ERROR(OpenFile("/proc/self/status", O_RDONLY).status());
  const UniqueFd refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  return Expect(!refused.valid() && errno == EACCES, "a file outside of the rules could be opened");
}

absl::Status KillByPidfd() {
  const pid_t pid = fork();
  RETURN_IF_ERROR(Must(pid, "fork"));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
      pause();
    }
  }
  ASSIGN_OR_RETURN(PidFd child, PidFd::Open(pid));
  if (absl::Status killed = child.Kill(SIGKILL); !killed.ok()) {
    kill(pid, SIGKILL);  // Ours until it is reaped; it may have no parent to die with yet.
    return killed;
  }
  ASSIGN_OR_RETURN(const siginfo_t info, child.Reap());
  return Expect(info.si_code == CLD_KILLED && info.si_status == SIGKILL, "the signal did not arrive");
}

absl::Status SealMemfd() {
  const std::array<std::byte, 4> bytes{};
  ASSIGN_OR_RETURN(const UniqueFd fd, MakeSealedMemfd("caisson-check", bytes, MemfdKind::kData));
  RETURN_IF_ERROR(CheckSealedMemfd(fd.get(), bytes.size()));
  return Expect(write(fd.get(), bytes.data(), bytes.size()) < 0 && errno == EPERM,
                "a sealed memfd can be written");
}

absl::Status ExecMemfd() {
  const std::vector<std::byte> program = ProgramThatEnds();
  ASSIGN_OR_RETURN(const UniqueFd fd, MakeSealedMemfd("caisson-check", program, MemfdKind::kExecutable));
  std::array<char, 6> name{"check"};
  const std::array<char*, 2> arguments{name.data(), nullptr};
  const std::array<char*, 1> environment{nullptr};
  syscall(SYS_execveat, fd.get(), "", arguments.data(), environment.data(), AT_EMPTY_PATH);
  return ErrnoStatus(errno, "execveat of a memfd");
}

absl::Status CloseRange() {
  constexpr int kHigh = 100;
  constexpr unsigned int kCloseRangeUnshare = 1U << 1U;
  RETURN_IF_ERROR(Must(fcntl(STDIN_FILENO, F_DUPFD, kHigh), "duplicate a descriptor"));
  RETURN_IF_ERROR(Must(syscall(SYS_close_range, kHigh, ~0U, kCloseRangeUnshare), "close_range"));
  return Expect(fcntl(kHigh, F_GETFD) == -1 && errno == EBADF, "close_range left a descriptor open");
}

}  // namespace

std::vector<CheckResult> ProbeProcesses() {
  return {FromStatus("pidfd", InChild(KillByPidfd), "signals and waits work", "needs Linux 5.4 or newer"),
          FromStatus("memfd_seal", SealMemfd(), "sealed memfds cannot be written",
                     "needs a kernel with CONFIG_MEMFD_CREATE"),
          FromStatus("memfd_exec", InChild(ExecMemfd), "a program was run from a sealed memfd",
                     "allow it: sysctl -w vm.memfd_noexec=0"),
          FromStatus("close_range", InChild(CloseRange), "CLOSE_RANGE_UNSHARE works",
                     "needs Linux 5.9 or newer")};
}

std::vector<CheckResult> ProbeSeccomp() {
  std::vector<CheckResult> results{FromStatus(
      "seccomp_notify", InChild([] { return AnswerNotification(0); }),
      "a call was reported to a listener and answered",
      "needs Linux 5.5 or newer with CONFIG_SECCOMP_FILTER; in a container, lift its own seccomp profile")};
  const absl::Status killable =
      InChild([] { return AnswerNotification(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV); });
  CheckResult result =
      FromStatus("seccomp_wait_killable", killable, "signals do not restart a reported call",
                 "use Linux 5.19 or newer; until then a payload's own signals may repeat a report");
  if (result.state == CheckState::kFail) {
    result.state = CheckState::kWarn;
  }
  results.push_back(std::move(result));
  return results;
}

std::vector<CheckResult> ProbeLandlock() {
  const std::string mend =
      "boot a kernel with CONFIG_SECURITY_LANDLOCK=y and \"landlock\" in its lsm= parameter";
  const absl::StatusOr<uint32_t> abi = sandbox::LandlockAbi();
  if (!abi.ok()) {
    return {FromStatus("landlock", abi.status(), "", mend)};
  }
  return {FromStatus("landlock", InChild(RefuseByLandlock),
                     "ABI " + std::to_string(*abi) + "; a file outside of the rules was refused", mend)};
}

}  // namespace caisson::orchestrator
