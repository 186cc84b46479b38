/* FSX-17: a tree that tempts whoever cleans up. */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  mkdir("/box/tree", 0700);
  mkdir("/box/tree/sub", 0700);
  TRY("links", symlink(argv[1], "/box/tree/link") == 0 && symlink("/usr", "/box/tree/usr") == 0
                   ? symlink("..", "/box/tree/up")
                   : -1);
  close(open("/box/tree/file", O_CREAT | O_WRONLY, 0600));
  TRY("chown_root", chown("/box/tree/file", 0, 0));
  TRY("chown_init", chown("/box/tree/file", 1, 1));
  TRY("no_access", chmod("/box/tree/sub", 0) == 0 ? chmod("/box/tree", 0) : -1);
  return 0;
}
