/* PRC-11 */
#include <sys/prctl.h>

#include "payload.h"

int main(void) {
  TRY("subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1));
  TRY("death_signal", prctl(PR_SET_PDEATHSIG, 0));
  int ends[2];
  if (pipe(ends) != 0) return 1;
  pid_t middle = fork();
  if (middle == 0) {
    pid_t self = getpid();
    if (fork() == 0) {
      while (getppid() == self) sched_yield();
      pid_t parent = getppid();
      if (write(ends[1], &parent, sizeof parent) < 0) _exit(1);
      _exit(0);
    }
    _exit(0);
  }
  waitpid(middle, NULL, 0);
  pid_t parent = 0;
  if (read(ends[0], &parent, sizeof parent) != sizeof parent) return 1;
  say("orphan_parent", parent == getpid() ? "own" : "%d", parent);
  return 0;
}
