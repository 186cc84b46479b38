/* OUT-11 */
#include "payload.h"

int main(void) {
  static char block[65536];
  mkdir("/box/out", 0755);
  int fd = open("/box/out/small", O_CREAT | O_WRONLY, 0600);
  if (write(fd, "mine", 4) != 4) return 1;
  int rest = open("/tmp/rest", O_CREAT | O_WRONLY, 0600);
  while (write(rest, block, sizeof block) > 0) {
  }
  say("full", "%s", strerrorname_np(errno));
  kill(getpid(), SIGKILL);
}
