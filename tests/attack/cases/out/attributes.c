/* OUT-12: what a file has beside its content. */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "payload.h"

int main(void) {
  mkdir("/box/out", 0755);
  int fd = open("/box/out/file", O_CREAT | O_WRONLY, 0600);
  if (fd < 0 || write(fd, "x", 1) != 1) _exit(1);
  TRY("user", setxattr("/box/out/file", "user.attack", "x", 1, 0));
  TRY("acl", setxattr("/box/out/file", "system.posix_acl_access", "\2\0\0\0", 4, 0));
  int flags = FS_IMMUTABLE_FL | FS_APPEND_FL;
  TRY("immutable", ioctl(fd, FS_IOC_SETFLAGS, &flags));
  return 0;
}
