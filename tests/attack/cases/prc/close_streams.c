/* PRC-03 */
#include "payload.h"

int main(void) {
  say("closing", "yes");
  close(0);
  close(1);
  close(2);
  for (;;) sleep(1);
}
