#include "lockdown/filter_builder.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <vector>

#include "common/status.h"

namespace caisson::lockdown {
namespace {

// To run a program, to reach another process, to get at a kernel interface that has been a way out before.
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

constexpr std::array kNamespaces = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                    CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};

constexpr scmp_datum_t kNamespaceFlags =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

}  // namespace

FilterBuilder::FilterBuilder() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {
  if (context_ == nullptr) {
    status_ = absl::InternalError("make the syscall filter: out of memory");
    return;
  }
  // Another architecture's numbers mean other calls.
  Check(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "bad architecture");
}

void FilterBuilder::Rule(uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> conditions) {
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

void FilterBuilder::Allow(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    Rule(SCMP_ACT_ALLOW, name);
  }
}

void FilterBuilder::AllowRuntime() {
  Allow({
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
      "getegid",
      "geteuid",
      "getgid",
      "getuid",
      "prlimit64",
      "sysinfo",
      "uname",
  });
}

void FilterBuilder::KillHostile() {
  for (const char* name : kHostile) {
    Rule(SCMP_ACT_KILL_PROCESS, name);
  }
}

void FilterBuilder::AllowThreads() {
  // clone3 hides its flags in memory; glibc falls back on ENOSYS.
  Rule(SCMP_ACT_ALLOW, "clone", {Masked(0, CLONE_THREAD | kNamespaceFlags, CLONE_THREAD)});
  Rule(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  for (const int flag : kNamespaces) {
    const auto bit = static_cast<scmp_datum_t>(flag);
    Rule(SCMP_ACT_KILL_PROCESS, "clone", {Masked(0, bit, bit)});
  }
}

void FilterBuilder::AllowMemory() {
  Rule(SCMP_ACT_ALLOW, "mmap", {Masked(2, PROT_EXEC, 0)});
  Rule(SCMP_ACT_ALLOW, "mprotect", {Masked(2, PROT_EXEC, 0)});
}

absl::Status FilterBuilder::Load() {
  if (status_.ok()) {
    Check(seccomp_load(context_.get()), "load");
  }
  return status_;
}

absl::Status FilterBuilder::Write(int fd) {
  if (status_.ok()) {
    Check(seccomp_export_bpf(context_.get(), fd), "export");
  }
  return status_;
}

void FilterBuilder::Check(int result, const char* what) {
  if (result < 0) {
    Fail(what, std::string(ToStd(ErrnoStatus(-result, "libseccomp").message())));
  }
}

void FilterBuilder::Fail(const char* what, const std::string& reason) {
  if (status_.ok()) {
    status_ = absl::InternalError("build the syscall filter: " + std::string(what) + ": " + reason);
  }
}

}  // namespace caisson::lockdown
