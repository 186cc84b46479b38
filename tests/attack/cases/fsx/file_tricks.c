/* FSX-18: files made, linked and opened by unusual flags. */
#include <linux/fs.h>

#include "payload.h"

int main(void) {
  int fd = open("/box", O_TMPFILE | O_RDWR, 0600);
  say("tmpfile", "%s", outcome(fd));
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  TRY("linked", linkat(AT_FDCWD, path, AT_FDCWD, "/box/linked", AT_SYMLINK_FOLLOW));
  TRY("tmpfile_usr", open("/usr", O_TMPFILE | O_RDWR, 0600));
  close(open("/box/a", O_CREAT | O_WRONLY, 0600));
  close(open("/box/b", O_CREAT | O_WRONLY, 0600));
  TRY("whiteout", renameat2(AT_FDCWD, "/box/a", AT_FDCWD, "/box/c", RENAME_WHITEOUT));
  rename("/box/c", "/box/a");
  TRY("exchange", renameat2(AT_FDCWD, "/box/a", AT_FDCWD, "/box/b", RENAME_EXCHANGE));
  int handle = open("/box/b", O_PATH);
  TRY("opath_write", write(handle, "x", 1));
  TRY("opath_chmod", fchmod(handle, 0777));
  snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
  TRY("reopened", open(path, O_RDWR));
  struct {
    struct file_handle header;
    char bytes[128];
  } room = {{.handle_bytes = 128}, ""};
  int mount_id;
  TRY("handle", syscall(SYS_name_to_handle_at, AT_FDCWD, "/box/b", &room.header, &mount_id, 0));
  return 0;
}
