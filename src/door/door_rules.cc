#include "door/door_rules.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace caisson::door {

using lockdown::Equal;
using lockdown::Masked;

// Measured with strace -f -c under load, and thought through for the paths a measurement misses (abort,
// allocation).
void AddDoorRules(lockdown::FilterBuilder& filter) {
  filter.Allow({
      // clients, and the connections to the daemon
      "accept",
      "accept4",
      "close",
      "getpeername",
      "getsockname",
      "getsockopt",
      "poll",
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
      "epoll_ctl",
      "epoll_pwait",
      "epoll_wait",
      "futex",
      "timerfd_settime",
      // descriptors
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
  filter.Rule(SCMP_ACT_ALLOW, "setsockopt", {Equal(1, IPPROTO_TCP), Equal(2, TCP_NODELAY)});
  // Asio's way to make what it accepted non-blocking.
  filter.Rule(SCMP_ACT_ALLOW, "ioctl", {Equal(1, FIONBIO)});
  filter.Rule(SCMP_ACT_ALLOW, "openat", {Masked(2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)});
  filter.AllowMemory();
  filter.KillHostile();
}

}  // namespace caisson::door
