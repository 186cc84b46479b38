/* SYS-23: seccomp from inside. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "payload.h"

int main(void) {
  struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {1, allow};
  TRY("strict", syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
  TRY("filter", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
  TRY("listener", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
  TRY("tsync", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program));
  TRY("log", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program));
  TRY("prctl", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
  TRY("prctl_strict", prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
  uint32_t action = SECCOMP_RET_ALLOW;
  TRY("available", syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
  char line[256];
  int mode = 0, filters = 0;
  FILE* status = fopen("/proc/self/status", "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL) {
    sscanf(line, "Seccomp: %d", &mode);
    sscanf(line, "Seccomp_filters: %d", &filters);
  }
  say("mode", "%d with %d filter", mode, filters);
  return 0;
}
