#include "dispatcher/self_filter.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

// Measured with strace -f -c under load, and thought through for the paths a measurement misses (abort,
// allocation).
constexpr std::array kAllowed = {
    // the boundary, gRPC's sockets and the pipes
    "accept4",
    "bind",
    "close",
    "getpeername",
    "getsockname",
    "getsockopt",
    "listen",
    "poll",
    "ppoll",
    "read",
    "readv",
    "recvmsg",
    "sendmsg",
    "setsockopt",
    "shutdown",
    "splice",
    "write",
    "writev",
    // waiting
    "clock_gettime",
    "clock_nanosleep",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "eventfd2",
    "futex",
    "nanosleep",
    "sched_yield",
    // bundles
    "fcntl",
    "ftruncate",
    "getrandom",
    "lseek",
    "memfd_create",
    "pread64",
    "pwrite64",
    // records: SQLite's files are open, the spool's room is taken beforehand
    "fallocate",
    "fdatasync",
    "fsync",
    // files: Landlock leaves only the socket's directory and the spool
    "fstat",
    "newfstatat",
    "stat",
    "unlink",
    // memory and threads; mmap, mprotect and clone have rules of their own
    "brk",
    "exit",
    "exit_group",
    "getcpu",
    "getpid",
    "gettid",
    "madvise",
    "mremap",
    "munmap",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "set_robust_list",
    "sigaltstack",
    "tgkill",
    // who we are, how much there is
    "getegid",
    "geteuid",
    "getgid",
    "getuid",
    "prlimit64",
    "sysinfo",
    "uname",
};

// Nothing of ours makes these, and an exploit would: to run a program, to reach another process, to get at a
// kernel interface that has been a way out before.
constexpr std::array kHostile = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "mount",
    "umount2",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsmount",
    "mount_setattr",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "keyctl",
    "add_key",
    "request_key",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "open_by_handle_at",
    "quotactl",
    "swapon",
    "swapoff",
    "reboot",
    "iopl",
    "ioperm",
    "personality",
    "setuid",
    "setgid",
    "setresuid",
    "setresgid",
    "setgroups",
    "capset",
};

constexpr scmp_datum_t kNamespaceFlags =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

class FilterBuilder {
 public:
  FilterBuilder() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {
    if (context_ == nullptr) {
      status_ = absl::InternalError("make the syscall filter: out of memory");
      return;
    }
    // Another architecture's numbers mean other calls.
    Check(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
          "bad architecture");
  }

  void Rule(uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) {
      Fail(name, "libseccomp does not know it");
      return;
    }
    const std::vector<scmp_arg_cmp> list(conditions);
    Check(seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned int>(list.size()),
                                 list.data()),
          name);
  }

  absl::Status Load() {
    if (status_.ok()) {
      Check(seccomp_load(context_.get()), "load");
    }
    return status_;
  }

  absl::Status Write(int fd) {
    if (status_.ok()) {
      Check(seccomp_export_bpf(context_.get(), fd), "export");
    }
    return status_;
  }

 private:
  void Check(int result, const char* what) {
    if (result < 0) {
      Fail(what, std::string(ToStd(ErrnoStatus(-result, "libseccomp").message())));
    }
  }
  void Fail(const char* what, const std::string& reason) {
    if (status_.ok()) {
      status_ = absl::InternalError("build the syscall filter: " + std::string(what) + ": " + reason);
    }
  }

  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  absl::Status status_;
};

constexpr scmp_arg_cmp Masked(unsigned int argument, scmp_datum_t mask, scmp_datum_t value) {
  return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void AddArgumentRules(FilterBuilder& filter) {
  // Unix sockets only; gRPC probes for IPv6 and lives with the answer.
  filter.Rule(SCMP_ACT_ALLOW, "socket", {Masked(0, 0xffffffffU, AF_UNIX)});
  filter.Rule(SCMP_ACT_ALLOW, "socketpair", {Masked(0, 0xffffffffU, AF_UNIX)});
  // Reading, which Landlock then refuses file by file: gRPC and glibc probe for a few and live with EACCES.
  filter.Rule(SCMP_ACT_ALLOW, "openat", {Masked(2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)});
  // No new code after the start.
  // The size of a run's terminal, whose master we hold.
  filter.Rule(SCMP_ACT_ALLOW, "ioctl", {Masked(1, 0xffffffffU, TIOCSWINSZ)});
  filter.Rule(SCMP_ACT_ALLOW, "mmap", {Masked(2, PROT_EXEC, 0)});
  filter.Rule(SCMP_ACT_ALLOW, "mprotect", {Masked(2, PROT_EXEC, 0)});
  filter.Rule(SCMP_ACT_ALLOW, "prctl", {Masked(0, 0xffffffffU, PR_SET_NAME)});
  // Threads, not processes, and in no new namespace. clone3 hides its flags in memory; glibc falls back on
  // ENOSYS.
  filter.Rule(SCMP_ACT_ALLOW, "clone", {Masked(0, CLONE_THREAD | kNamespaceFlags, CLONE_THREAD)});
  filter.Rule(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  for (const int flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
                         CLONE_NEWPID, CLONE_NEWNET}) {
    const auto bit = static_cast<scmp_datum_t>(flag);
    filter.Rule(SCMP_ACT_KILL_PROCESS, "clone", {Masked(0, bit, bit)});
  }
}

// Files are made, written and removed by their names in one directory; no path leads there.
void AddSpoolRules(FilterBuilder& filter, int spool) {
  const auto directory = Masked(0, 0xffffffffU, static_cast<scmp_datum_t>(spool));
  filter.Rule(SCMP_ACT_ALLOW, "openat", {directory, Masked(2, O_ACCMODE | O_TRUNC, O_RDWR)});
  filter.Rule(SCMP_ACT_ALLOW, "unlinkat", {directory, Masked(2, 0xffffffffU, 0)});
}

constexpr int kNoSpool = -1;

void AddRecordsRules(FilterBuilder& filter) {
  for (const char* name : {"access", "faccessat", "faccessat2", "fchmod", "getcwd", "getdents64",
                           "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lstat",
                           "mkdir", "mkdirat", "readlink", "readlinkat", "seccomp", "umask"}) {
    filter.Rule(SCMP_ACT_ALLOW, name);
  }
  filter.Rule(SCMP_ACT_ALLOW, "openat", {Masked(2, O_ACCMODE | O_TRUNC, O_RDWR)});
  filter.Rule(SCMP_ACT_ALLOW, "unlinkat", {Masked(2, 0xffffffffU, 0)});
  for (const int option : {PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_SET_SECCOMP}) {
    filter.Rule(SCMP_ACT_ALLOW, "prctl", {Masked(0, 0xffffffffU, static_cast<scmp_datum_t>(option))});
  }
}

void AddRules(FilterBuilder& filter, int spool) {
  for (const char* name : kAllowed) {
    filter.Rule(SCMP_ACT_ALLOW, name);
  }
  for (const char* name : kHostile) {
    filter.Rule(SCMP_ACT_KILL_PROCESS, name);
  }
  AddArgumentRules(filter);
  if (spool >= 0) {
    AddSpoolRules(filter, spool);
  }
}

}  // namespace

absl::Status LoadRecordsFilter() {
  FilterBuilder filter;
  AddRules(filter, kNoSpool);
  AddRecordsRules(filter);
  return filter.Load();
}

absl::Status LoadSelfFilter(int spool) {
  FilterBuilder filter;
  AddRules(filter, spool);
  return filter.Load();
}

absl::Status WriteSelfFilter(int fd, int spool) {
  FilterBuilder filter;
  AddRules(filter, spool);
  return filter.Write(fd);
}

}  // namespace caisson::dispatcher
