/* NSP-04: setns. One attempt a run, since it ends the run; without an argument all that do not. */
#include "payload.h"

static int ns(const char* path) { return open(path, O_RDONLY); }

int main(int argc, char** argv) {
  const char* attempt = argc > 1 ? argv[1] : "";
  if (strcmp(attempt, "own") == 0) syscall(SYS_setns, ns("/proc/self/ns/user"), 0);
  if (strcmp(attempt, "pidfd") == 0)
    syscall(SYS_setns, syscall(SYS_pidfd_open, getppid(), 0), CLONE_NEWNS | CLONE_NEWNET);
  if (strcmp(attempt, "closed") == 0) syscall(SYS_setns, -1, 0);
  if (attempt[0] != '\0') {
    say("survived", "%s", attempt);
    return 0;
  }
  TRY("own_user", syscall(SYS_setns, ns("/proc/self/ns/user"), 0));
  TRY("own_mnt", syscall(SYS_setns, ns("/proc/self/ns/mnt"), 0));
  TRY("own_net", syscall(SYS_setns, ns("/proc/self/ns/net"), 0));
  TRY("init_net", ns("/proc/1/ns/net"));
  return 0;
}
