/* PRC-07 */
#include "payload.h"

int main(void) {
  int refused = 0, tried = 0;
  for (int number = 1; number < 65; ++number) {
    ++tried;
    refused += kill(1, number) != 0 && errno == EPERM;
    ++tried;
    refused += kill(getppid(), number) != 0 && errno == EPERM;
    ++tried;
    refused += syscall(SYS_tgkill, 1, 1, number) != 0 && errno == EPERM;
  }
  say("refused", "%s", refused == tried ? "all" : "not all");
  say("still_here", "yes");
  return 0;
}
