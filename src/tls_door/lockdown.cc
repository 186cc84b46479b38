#include "tls_door/lockdown.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>

#include "common/status.h"
#include "lockdown/filter_builder.h"
#include "lockdown/landlock.h"
#include "lockdown/unprivileged.h"

namespace caisson::tls_door {
namespace {

using lockdown::Equal;
using lockdown::FilterBuilder;
using lockdown::Masked;

constexpr char kIfRoot[] = "root must not run the door; give it a user to become: --user caisson-tls";

void AddDoorRules(FilterBuilder& filter) {
  filter.Allow({
      // clients, and the connections to the daemon: no socket, no connect, no bind, no listen
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
  filter.Rule(SCMP_ACT_ALLOW, "setsockopt", {Equal(1, IPPROTO_TCP), Equal(2, TCP_NODELAY)});
  filter.Rule(SCMP_ACT_ALLOW, "ioctl", {Equal(1, FIONBIO)});
  // Reading, which Landlock then refuses but for the certificates.
  filter.Rule(SCMP_ACT_ALLOW, "openat", {Masked(2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)});
  filter.AllowMemory();
  filter.KillHostile();
}

}  // namespace

absl::Status LockFiles(int certificates) {
  RETURN_IF_ERROR(lockdown::BecomeUnprivileged(kIfRoot));
  const std::array<lockdown::AllowedDirectory, 1> allowed = {
      {{certificates, "the certificates", lockdown::kFsReadFile | lockdown::kFsReadDirectory}}};
  return lockdown::RestrictSelf(allowed);
}

absl::Status LoadDoorFilter() {
  FilterBuilder filter;
  AddDoorRules(filter);
  return filter.Load();
}

absl::Status WriteDoorFilter(int fd) {
  FilterBuilder filter;
  AddDoorRules(filter);
  return filter.Write(fd);
}

}  // namespace caisson::tls_door
