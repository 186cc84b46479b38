/* RES-27: locks, each apart from the last, so that the kernel cannot merge them. At most a million. */
#include <sys/file.h>

#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  int fd = open("/box/locked", O_RDWR | O_CREAT, 0600);
  long held = 0;
  int error = 0;
  int command = strcmp(argv[1], "open-file") == 0 ? F_OFD_SETLK : F_SETLK;
  for (long i = 1; i < 1000000 && error == 0; ++i) {
    if (strcmp(argv[1], "whole-file") == 0) {
      if ((fd = open("/box/locked", O_RDWR)) < 0 || flock(fd, LOCK_SH) != 0) error = errno;
    } else {
      struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1};
      if (fcntl(fd, command, &lock) != 0) error = errno;
    }
    held += error == 0;
  }
  say("held", "%ld", held);
  say("then", "%s", error == 0 ? "no end" : strerrorname_np(error));
  return 0;
}
