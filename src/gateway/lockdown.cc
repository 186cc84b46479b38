#include "gateway/lockdown.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/status.h"
#include "lockdown/filter_builder.h"
#include "lockdown/landlock.h"
#include "lockdown/unprivileged.h"

namespace caisson::gateway {
namespace {

using lockdown::Equal;
using lockdown::FilterBuilder;
using lockdown::Masked;

// Measured with strace -f -c under load, and thought through for the paths a measurement misses (abort,
// allocation).
void AddGatewayRules(FilterBuilder& filter) {
  filter.Allow({
      // clients, and the connections to the daemon: no socket, no connect, no bind, no listen
      "accept",
      "accept4",
      "close",
      "getpeername",
      "getsockname",
      "getsockopt",
      "poll",
      "ppoll",
      "read",
      "readv",
      "recvfrom",
      "recvmsg",
      "shutdown",
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
      "timerfd_create",
      "timerfd_settime",
      // descriptors; Landlock leaves no file to open
      "fcntl",
      "fstat",
      "newfstatat",
      "getrandom",
  });
  filter.AllowRuntime();
  // Not with MSG_FASTOPEN: on a listener that was shut down it is a connect.
  filter.Rule(SCMP_ACT_ALLOW, "sendmsg", {Masked(2, MSG_FASTOPEN, 0)});
  filter.Rule(SCMP_ACT_ALLOW, "sendto",
              {Masked(3, MSG_FASTOPEN, 0), scmp_arg_cmp{4, SCMP_CMP_EQ, 0, 0}});  // and nowhere else
  // Of TCP the one option that is used: others load whole protocols into the kernel (TCP_ULP).
  filter.Rule(SCMP_ACT_ALLOW, "setsockopt", {Equal(1, SOL_SOCKET)});
  filter.Rule(SCMP_ACT_ALLOW, "setsockopt", {Equal(1, IPPROTO_TCP), Equal(2, TCP_NODELAY)});
  // Asio's way to make what it accepted non-blocking.
  filter.Rule(SCMP_ACT_ALLOW, "ioctl", {Equal(1, FIONBIO)});
  // Reading, which Landlock then refuses file by file: gRPC and glibc probe for a few and live with EACCES.
  filter.Rule(SCMP_ACT_ALLOW, "openat", {Masked(2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)});
  filter.Rule(SCMP_ACT_ALLOW, "prctl", {Equal(0, PR_SET_NAME)});
  filter.AllowMemory();
  filter.AllowThreads();
  filter.KillHostile();
}

}  // namespace

absl::Status LockFiles() {
  RETURN_IF_ERROR(lockdown::BecomeUnprivileged(
      "root must not run the gateway; give it a user to become: --user caisson-gateway"));
  return lockdown::RestrictSelf({});
}

absl::Status LoadGatewayFilter() {
  FilterBuilder filter;
  AddGatewayRules(filter);
  return filter.Load();
}

absl::Status WriteGatewayFilter(int fd) {
  FilterBuilder filter;
  AddGatewayRules(filter);
  return filter.Write(fd);
}

}  // namespace caisson::gateway
