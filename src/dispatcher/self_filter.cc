#include "dispatcher/self_filter.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>

#include "lockdown/filter_builder.h"

namespace caisson::dispatcher {
namespace {

using lockdown::Equal;
using lockdown::FilterBuilder;
using lockdown::Masked;

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
};

void AddArgumentRules(FilterBuilder& filter) {
  // Unix sockets only; gRPC probes for IPv6 and lives with the answer.
  filter.Rule(SCMP_ACT_ALLOW, "socket", {Equal(0, AF_UNIX)});
  filter.Rule(SCMP_ACT_ALLOW, "socketpair", {Equal(0, AF_UNIX)});
  // Reading, which Landlock then refuses file by file: gRPC and glibc probe for a few and live with EACCES.
  filter.Rule(SCMP_ACT_ALLOW, "openat", {Masked(2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)});
  // The size of a run's terminal, whose master we hold.
  filter.Rule(SCMP_ACT_ALLOW, "ioctl", {Equal(1, TIOCSWINSZ)});
  filter.Rule(SCMP_ACT_ALLOW, "prctl", {Equal(0, PR_SET_NAME)});
  filter.AllowMemory();
  filter.AllowThreads();
}

// Files are made, written and removed by their names in one directory; no path leads there.
void AddSpoolRules(FilterBuilder& filter, int spool) {
  const auto directory = Equal(0, static_cast<scmp_datum_t>(spool));
  filter.Rule(SCMP_ACT_ALLOW, "openat", {directory, Masked(2, O_ACCMODE | O_TRUNC, O_RDWR)});
  filter.Rule(SCMP_ACT_ALLOW, "unlinkat", {directory, Equal(2, 0)});
}

constexpr int kNoSpool = -1;

void AddRecordsRules(FilterBuilder& filter) {
  for (const char* name : {"access", "faccessat", "faccessat2", "fchmod", "getcwd", "getdents64",
                           "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lstat",
                           "mkdir", "mkdirat", "readlink", "readlinkat", "seccomp", "umask"}) {
    filter.Rule(SCMP_ACT_ALLOW, name);
  }
  filter.Rule(SCMP_ACT_ALLOW, "openat", {Masked(2, O_ACCMODE | O_TRUNC, O_RDWR)});
  filter.Rule(SCMP_ACT_ALLOW, "unlinkat", {Equal(2, 0)});
  for (const int option : {PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_SET_SECCOMP}) {
    filter.Rule(SCMP_ACT_ALLOW, "prctl", {Equal(0, static_cast<scmp_datum_t>(option))});
  }
}

void AddRules(FilterBuilder& filter, int spool) {
  for (const char* name : kAllowed) {
    filter.Rule(SCMP_ACT_ALLOW, name);
  }
  filter.AllowRuntime();
  filter.KillHostile();
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
