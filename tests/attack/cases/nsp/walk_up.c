/* NSP-08: every way up ends at the root. */
#include "payload.h"

static struct stat root;

static void compare(const char* name, int fd) {
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) {
    say(name, "%s", strerrorname_np(errno));
  } else {
    say(name, "%s", info.st_dev == root.st_dev && info.st_ino == root.st_ino ? "the root" : "somewhere else");
  }
}

int main(void) {
  if (stat("/", &root) != 0) return 1;
  compare("dots", open("/../../..", O_RDONLY | O_DIRECTORY));
  int kept = open("/box", O_RDONLY | O_DIRECTORY);
  compare("kept_descriptor", openat(kept, "../../../..", O_RDONLY | O_DIRECTORY));
  compare("proc_root", open("/proc/self/root/..", O_RDONLY | O_DIRECTORY));
  compare("proc_cwd", open("/proc/self/cwd/../..", O_RDONLY | O_DIRECTORY));
  int handle = open("/", O_PATH | O_DIRECTORY);
  compare("opath", openat(handle, "..", O_PATH | O_DIRECTORY));
  if (fchdir(open("/", O_RDONLY | O_DIRECTORY)) != 0) return 1;
  for (int i = 0; i < 1000; ++i) {
    if (chdir("..") != 0) return 1;
  }
  compare("many", open(".", O_RDONLY | O_DIRECTORY));
  return 0;
}
