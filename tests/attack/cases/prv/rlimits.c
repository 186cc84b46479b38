/* PRV-07: hard limits go down only. */
#include "payload.h"

static void raise_limit(const char* name, int resource) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0) {
    say(name, "getrlimit %s", strerrorname_np(errno));
    return;
  }
  limit.rlim_max = limit.rlim_max == RLIM_INFINITY ? RLIM_INFINITY : limit.rlim_max + 1;
  TRY(name, syscall(SYS_prlimit64, 0, resource, &limit, NULL));
}

int main(void) {
  raise_limit("core", RLIMIT_CORE);
  raise_limit("fsize", RLIMIT_FSIZE);
  raise_limit("memlock", RLIMIT_MEMLOCK);
  raise_limit("msgqueue", RLIMIT_MSGQUEUE);
  raise_limit("nice", RLIMIT_NICE);
  raise_limit("nofile", RLIMIT_NOFILE);
  raise_limit("rtprio", RLIMIT_RTPRIO);
  raise_limit("sigpending", RLIMIT_SIGPENDING);
  raise_limit("stack", RLIMIT_STACK);
  struct rlimit huge = {RLIM_INFINITY, RLIM_INFINITY};
  TRY("old_call", syscall(SYS_setrlimit, RLIMIT_STACK, &huge));
  struct rlimit crossed = {100, 50};
  TRY("soft_above_hard", syscall(SYS_setrlimit, RLIMIT_NOFILE, &crossed));
  return 0;
}
