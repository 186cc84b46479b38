/* FSX-14: hard links. */
#include "payload.h"

int main(int argc, char** argv) {
  (void)argc;
  TRY("passwd", link("/etc/passwd", "/box/passwd"));
  TRY("program", link("/usr/bin/env", "/tmp/env"));
  int fd = open("/usr/bin/env", O_RDONLY);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  TRY("through_proc", linkat(AT_FDCWD, path, AT_FDCWD, "/box/env", AT_SYMLINK_FOLLOW));
  TRY("own", link(argv[0], "/box/again"));
  TRY("empty_path", linkat(fd, "", AT_FDCWD, "/box/env", AT_EMPTY_PATH));
  TRY("within_usr", link("/usr/bin/env", "/usr/bin/env2"));
  return 0;
}
