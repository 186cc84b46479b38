/* RES-10: everything below /usr/lib, again and again. */
#include <ftw.h>

#include "payload.h"

static int read_file(const char* path, const struct stat* info, int kind, struct FTW* unused) {
  static char block[1 << 20];
  (void)unused;
  if (kind != FTW_F || info->st_size < (1 << 20)) return 0;
  int fd = open(path, O_RDONLY);
  while (fd >= 0 && read(fd, block, sizeof block) > 0) {
  }
  close(fd);
  return 0;
}

int main(void) {
  say("reading", "yes");
  for (;;) nftw("/usr/lib", read_file, 16, FTW_PHYS);
}
