/* PRC-05 */
#include "payload.h"

int main(void) {
  say("stopping", "yes");
  for (int i = 0; i < 10; ++i) {
    if (fork() == 0) {
      if (i % 2) setsid();
      raise(SIGSTOP);
      for (;;) pause();
    }
  }
  raise(SIGSTOP);
  for (;;) raise(SIGSTOP);
}
