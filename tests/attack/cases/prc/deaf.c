/* PRC-04 */
#include <time.h>

#include "payload.h"

int main(void) {
  sigset_t all;
  sigfillset(&all);
  for (int number = 1; number < 65; ++number) signal(number, SIG_IGN);
  sigprocmask(SIG_BLOCK, &all, NULL);
  say("deaf", "yes");
  for (;;) {
    struct timespec second = {1, 0};
    nanosleep(&second, NULL);
  }
}
