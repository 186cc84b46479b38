/* PRC-02 */
#include "payload.h"

int main(void) {
  if (fork() == 0) {
    for (int i = 0; i < 100; ++i) dup(1);
    setsid();
    for (;;) sleep(1);
  }
  say("main", "exits");
  return 0;
}
