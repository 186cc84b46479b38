/* PRC-01 */
#include "payload.h"

int main(void) {
  for (int i = 0; i < 5; ++i) {
    if (fork() == 0) {
      setsid();
      if (fork() != 0) _exit(0);
      setsid();
      close(0);
      close(1);
      close(2);
      signal(SIGHUP, SIG_IGN);
      for (;;) sleep(1);
    }
  }
  while (waitpid(-1, NULL, 0) > 0) {
  }
  say("main", "exits");
  return 0;
}
