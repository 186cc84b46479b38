// The dispatcher's own filter as data: every number on three architectures, against a list that is written
// here a second time on purpose.
#include "dispatcher/self_filter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <set>
#include <vector>

#include "common/status.h"
#include "common/unique_fd.h"
#include "policy/bpf_evaluator.h"

namespace caisson::dispatcher {
namespace {

constexpr int kNumbers = 601;
constexpr int kSpool = 77;
constexpr uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;

using Arguments = std::array<uint64_t, 6>;

class SelfFilterTest : public testing::Test {
 protected:
  void SetUp() override {
    const UniqueFd file(memfd_create("self-filter", MFD_CLOEXEC));
    ASSERT_TRUE(file.valid());
    const absl::Status written = WriteSelfFilter(file.get(), kSpool);
    ASSERT_TRUE(written.ok()) << Message(written);
    const off_t bytes = lseek(file.get(), 0, SEEK_END);
    ASSERT_GT(bytes, 0);
    program_.resize(static_cast<size_t>(bytes) / sizeof(sock_filter));
    ASSERT_EQ(pread(file.get(), program_.data(), static_cast<size_t>(bytes), 0), bytes);
  }

  uint32_t Answer(long number, const Arguments& arguments = {}, uint32_t arch = AUDIT_ARCH_X86_64) const {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = arch;
    for (size_t i = 0; i < arguments.size(); ++i) {
      data.args[i] = arguments.at(i);
    }
    const absl::StatusOr<uint32_t> answer = policy::EvaluateFilter(program_, data);
    EXPECT_TRUE(answer.ok()) << Message(answer.status());
    return answer.value_or(0);
  }

  std::vector<sock_filter> program_;
};

// Whatever their arguments.
const std::set<long>& Allowed() {
  static const std::set<long> kAllowed = {SYS_accept4,
                                          SYS_bind,
                                          SYS_close,
                                          SYS_getpeername,
                                          SYS_getsockname,
                                          SYS_getsockopt,
                                          SYS_listen,
                                          SYS_poll,
                                          SYS_ppoll,
                                          SYS_read,
                                          SYS_readv,
                                          SYS_recvmsg,
                                          SYS_sendmsg,
                                          SYS_setsockopt,
                                          SYS_shutdown,
                                          SYS_splice,
                                          SYS_write,
                                          SYS_writev,
                                          SYS_clock_gettime,
                                          SYS_clock_nanosleep,
                                          SYS_epoll_create1,
                                          SYS_epoll_ctl,
                                          SYS_epoll_pwait,
                                          SYS_epoll_wait,
                                          SYS_eventfd2,
                                          SYS_futex,
                                          SYS_nanosleep,
                                          SYS_sched_yield,
                                          SYS_fcntl,
                                          SYS_ftruncate,
                                          SYS_getrandom,
                                          SYS_lseek,
                                          SYS_memfd_create,
                                          SYS_pread64,
                                          SYS_pwrite64,
                                          SYS_fallocate,
                                          SYS_fdatasync,
                                          SYS_fsync,
                                          SYS_fstat,
                                          SYS_newfstatat,
                                          SYS_stat,
                                          SYS_unlink,
                                          SYS_brk,
                                          SYS_exit,
                                          SYS_exit_group,
                                          SYS_getcpu,
                                          SYS_getpid,
                                          SYS_gettid,
                                          SYS_madvise,
                                          SYS_mremap,
                                          SYS_munmap,
                                          SYS_restart_syscall,
                                          SYS_rseq,
                                          SYS_rt_sigaction,
                                          SYS_rt_sigprocmask,
                                          SYS_rt_sigreturn,
                                          SYS_sched_getaffinity,
                                          SYS_sched_getparam,
                                          SYS_sched_getscheduler,
                                          SYS_set_robust_list,
                                          SYS_sigaltstack,
                                          SYS_tgkill,
                                          SYS_getegid,
                                          SYS_geteuid,
                                          SYS_getgid,
                                          SYS_getuid,
                                          SYS_prlimit64,
                                          SYS_sysinfo,
                                          SYS_uname};
  return kAllowed;
}

// By their arguments; the cases below.
const std::set<long>& Judged() {
  static const std::set<long> kJudged = {SYS_socket, SYS_socketpair, SYS_openat, SYS_unlinkat, SYS_ioctl,
                                         SYS_mmap,   SYS_mprotect,   SYS_prctl,  SYS_clone};
  return kJudged;
}

TEST_F(SelfFilterTest, NothingIsAllowedButWhatIsListed) {
  const std::vector<Arguments> samples = {{}, {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL}, {1, 1, 1, 1, 1, 1}};
  for (int number = 0; number < kNumbers; ++number) {
    for (const Arguments& arguments : samples) {
      const uint32_t answer = Answer(number, arguments);
      if (Allowed().contains(number)) {
        EXPECT_EQ(answer, SECCOMP_RET_ALLOW) << number;
      } else if (number == SYS_clone3) {
        EXPECT_EQ(answer, SECCOMP_RET_ERRNO | ENOSYS);
      } else if (!Judged().contains(number)) {
        EXPECT_TRUE(answer == kRefused || answer == SECCOMP_RET_KILL_PROCESS) << number << " " << answer;
      }
    }
  }
}

TEST_F(SelfFilterTest, OtherArchitecturesEndTheProcess) {
  for (int number = 0; number < kNumbers; ++number) {
    EXPECT_EQ(Answer(number, {}, AUDIT_ARCH_I386), uint32_t{SECCOMP_RET_KILL_PROCESS}) << number;
    EXPECT_EQ(Answer(number, {}, AUDIT_ARCH_AARCH64), uint32_t{SECCOMP_RET_KILL_PROCESS}) << number;
    EXPECT_EQ(Answer(number | 0x40000000), uint32_t{SECCOMP_RET_KILL_PROCESS}) << number;
  }
}

TEST_F(SelfFilterTest, WhatOnlyAnExploitWouldCallEndsTheProcess) {
  for (const long number : {SYS_execve, SYS_execveat, SYS_fork, SYS_vfork, SYS_ptrace, SYS_mount, SYS_unshare,
                            SYS_setns, SYS_bpf, SYS_io_uring_setup, SYS_userfaultfd, SYS_keyctl, SYS_setuid,
                            SYS_capset, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_open_by_handle_at}) {
    EXPECT_EQ(Answer(number), uint32_t{SECCOMP_RET_KILL_PROCESS}) << number;
  }
}

TEST_F(SelfFilterTest, SocketsAreUnixOnesFamilyByFamily) {
  for (uint64_t family = 0; family <= 45; ++family) {
    const uint32_t expected = family == AF_UNIX ? SECCOMP_RET_ALLOW : kRefused;
    for (const long number : {SYS_socket, SYS_socketpair}) {
      EXPECT_EQ(Answer(number, {family, SOCK_STREAM}), expected) << family;
      EXPECT_EQ(Answer(number, {0xffffffff00000000U | family, SOCK_STREAM}), expected) << family;
    }
  }
}

TEST_F(SelfFilterTest, FilesAreOpenedToBeReadAndNoCodeIsMade) {
  EXPECT_EQ(Answer(SYS_openat, {0, 0, O_RDONLY | O_CLOEXEC}), SECCOMP_RET_ALLOW);
  for (const int flags : {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_RDWR | O_CREAT}) {
    EXPECT_EQ(Answer(SYS_openat, {0, 0, static_cast<uint64_t>(flags)}), kRefused) << flags;
  }
  for (const long number : {SYS_mmap, SYS_mprotect}) {
    EXPECT_EQ(Answer(number, {0, 0, PROT_READ | PROT_WRITE}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(Answer(number, {0, 0, PROT_READ | PROT_EXEC}), kRefused);
    EXPECT_EQ(Answer(number, {0, 0, PROT_EXEC}), kRefused);
  }
}

TEST_F(SelfFilterTest, FilesAreMadeAndRemovedInTheSpoolAlone) {
  const auto flags = [](int value) { return static_cast<uint64_t>(value); };
  constexpr uint64_t kInSpool = kSpool;
  constexpr auto kHere = static_cast<uint64_t>(AT_FDCWD);
  EXPECT_EQ(Answer(SYS_openat, {kInSpool, 0, flags(O_RDWR | O_CLOEXEC)}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(SYS_openat, {kInSpool, 0, flags(O_RDWR | O_CREAT | O_CLOEXEC)}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(SYS_openat, {kInSpool, 0, flags(O_RDWR | O_TRUNC)}), kRefused);
  EXPECT_EQ(Answer(SYS_openat, {kInSpool, 0, flags(O_WRONLY | O_CREAT)}), kRefused);
  EXPECT_EQ(Answer(SYS_openat, {kInSpool + 1, 0, flags(O_RDWR | O_CREAT)}), kRefused);
  EXPECT_EQ(Answer(SYS_openat, {kHere, 0, flags(O_RDWR)}), kRefused);
  EXPECT_EQ(Answer(SYS_unlinkat, {kInSpool, 0, 0}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(SYS_unlinkat, {kInSpool, 0, flags(AT_REMOVEDIR)}), kRefused);
  EXPECT_EQ(Answer(SYS_unlinkat, {kHere, 0, 0}), kRefused);
}

TEST_F(SelfFilterTest, ThreadsAndNoProcessesAndNoNamespaces) {
  constexpr uint64_t kThread =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  EXPECT_EQ(Answer(SYS_clone, {kThread}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(SYS_clone, {SIGCHLD}), kRefused) << "fork";
  EXPECT_EQ(Answer(SYS_clone, {CLONE_VM | CLONE_VFORK | SIGCHLD}), kRefused) << "vfork";
  for (const int flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
                         CLONE_NEWPID, CLONE_NEWNET}) {
    EXPECT_EQ(Answer(SYS_clone, {kThread | static_cast<uint64_t>(flag)}), uint32_t{SECCOMP_RET_KILL_PROCESS})
        << flag;
  }
}

TEST_F(SelfFilterTest, OfTerminalsTheSizeAloneAndOfPrctlTheName) {
  EXPECT_EQ(Answer(SYS_ioctl, {0, TIOCSWINSZ}), SECCOMP_RET_ALLOW);
  for (const uint64_t request : {uint64_t{TIOCSTI}, uint64_t{TIOCGWINSZ}, uint64_t{TIOCLINUX}, uint64_t{0}}) {
    EXPECT_EQ(Answer(SYS_ioctl, {0, request}), kRefused) << request;
    EXPECT_EQ(Answer(SYS_ioctl, {0, 0x100000000U | request}), kRefused) << request;
  }
  EXPECT_EQ(Answer(SYS_prctl, {PR_SET_NAME}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(SYS_prctl, {PR_SET_DUMPABLE}), kRefused);
}

}  // namespace
}  // namespace caisson::dispatcher
