/* PRC-06: kill(-1) leaves out the caller; so a child does it, and the main process dies of it. */
#include "payload.h"

int main(void) {
  say("killing", "yes");
  pid_t child = fork();
  if (child == 0) {
    kill(-1, SIGKILL);
    int survivors = 0;
    for (int pid = 2; pid < 1000; ++pid) survivors += pid != getpid() && kill(pid, 0) == 0 && errno != EPERM;
    say("survivors", "%d", survivors > 1 ? survivors : 0); /* a dead parent that nobody has reaped yet */
    _exit(0);
  }
  for (;;) pause();
}
