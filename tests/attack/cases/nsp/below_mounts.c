/* NSP-16: the work tmpfs was mounted at /proc before /proc was; is it still there, below? */
#include <linux/magic.h>
#include <sys/vfs.h>

#include "payload.h"

static const char* kind(const char* path) {
  struct statfs info;
  if (statfs(path, &info) != 0) return strerrorname_np(errno);
  return info.f_type == PROC_SUPER_MAGIC ? "proc" : info.f_type == TMPFS_MAGIC ? "tmpfs" : "other";
}

static const char* same(const char* left, const char* right, const char* name) {
  struct stat a, b;
  if (stat(left, &a) != 0 || stat(right, &b) != 0) return strerrorname_np(errno);
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino ? name : "somewhere else";
}

int main(void) {
  say("proc_is", "%s", kind("/proc"));
  int root = open("/", O_PATH);
  int proc = openat(root, "proc", O_PATH | O_NOFOLLOW);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", proc);
  say("proc_via_root", "%s", kind(path));
  say("box_parent", "%s", same("/box/..", "/", "the root"));
  say("shm_parent", "%s", same("/dev/shm/..", "/dev", "/dev"));
  TRY("other_work", open("/box/../box/../../shm", O_RDONLY));
  return 0;
}
