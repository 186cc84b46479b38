/* OUT-09 */
#include "payload.h"

static void file(const char* path, mode_t mode) {
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  if (fd < 0 || write(fd, "x", 1) != 1 || fchmod(fd, mode) != 0) _exit(1);
}

int main(void) {
  mkdir("/box/out", 0755);
  mkdir("/box/out/closed", 0755);
  file("/box/out/setuid", 07755);
  file("/box/out/none", 0);
  file("/box/out/closed/inside", 0);
  return chmod("/box/out/closed", 0);
}
