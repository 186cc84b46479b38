/* RES-22: the work directories are memory, so flushing them costs nobody anything. */
#include "payload.h"

int main(void) {
  static char block[65536];
  int fd = open("/box/file", O_CREAT | O_RDWR, 0600);
  TRY("sync", syscall(SYS_sync));
  TRY("syncfs", syscall(SYS_syncfs, fd));
  say("flushing", "yes");
  for (;;) {
    if (pwrite(fd, block, sizeof block, 0) < 0 || fsync(fd) != 0 || fdatasync(fd) != 0) return 1;
  }
}
