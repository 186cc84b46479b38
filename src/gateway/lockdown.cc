#include "gateway/lockdown.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/status.h"
#include "door/door_rules.h"
#include "lockdown/filter_builder.h"
#include "lockdown/landlock.h"
#include "lockdown/unprivileged.h"

namespace caisson::gateway {
namespace {

using lockdown::Equal;
using lockdown::FilterBuilder;

// A door's, and what gRPC needs with its threads. gRPC and glibc probe for a few files and live with EACCES.
void AddGatewayRules(FilterBuilder& filter) {
  door::AddDoorRules(filter);
  filter.Allow({"epoll_create1", "eventfd2", "nanosleep", "ppoll", "sched_yield", "timerfd_create"});
  filter.Rule(SCMP_ACT_ALLOW, "setsockopt", {Equal(1, SOL_SOCKET)});
  filter.Rule(SCMP_ACT_ALLOW, "prctl", {Equal(0, PR_SET_NAME)});
  filter.AllowThreads();
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
