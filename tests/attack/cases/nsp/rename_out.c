/* NSP-09: /box, /tmp and /dev/shm are binds of one tmpfs; nothing gets from one to another, or above. */
#include "payload.h"

int main(void) {
  struct stat root, top;
  stat("/", &root);
  mkdir("/box/a", 0700);
  mkdir("/box/a/b", 0700);
  mkdir("/tmp/t", 0700);
  close(open("/box/f", O_CREAT | O_WRONLY, 0600));
  TRY("box_to_tmp", rename("/box/a/b", "/tmp/b"));
  TRY("box_to_shm", rename("/box/a", "/dev/shm/a"));
  TRY("link_across", link("/box/f", "/tmp/f"));
  TRY("exchange", renameat2(AT_FDCWD, "/box/a", AT_FDCWD, "/tmp/t", RENAME_EXCHANGE));
  TRY("box_itself", rename("/box", "/moved"));
  TRY("tmp_removed", rmdir("/tmp"));
  int up = open("/box/a/b", O_RDONLY | O_DIRECTORY);
  if (up < 0 || fchdir(up) != 0) return 1;
  TRY("moved_while_inside", rename("/box/a/b", "/box/c"));
  rmdir("/box/a");
  for (int i = 0; i < 64; ++i) {
    if (chdir("..") != 0) return 1;
  }
  stat(".", &top);
  say("above_work", "%s",
      top.st_dev == root.st_dev && top.st_ino == root.st_ino ? "the root" : "somewhere else");
  return 0;
}
