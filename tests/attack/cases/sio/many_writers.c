/* SIO-10 */
#include "payload.h"

int main(void) {
  static char block[4096];
  memset(block, 'y', sizeof block);
  for (int i = 0; i < 60; ++i) {
    if (fork() == 0) {
      setsid();
      for (;;) {
        if (write(1, block, sizeof block) < 0) _exit(1);
      }
    }
  }
  usleep(300000);
  return 0;
}
