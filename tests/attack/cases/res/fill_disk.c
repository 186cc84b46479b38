/* RES-07 */
#include "payload.h"

static long total;

static void fill(const char* name, const char* path) {
  static char block[65536];
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  ssize_t wrote = 0;
  while (fd >= 0 && total < (1L << 30) && (wrote = write(fd, block, sizeof block)) > 0) total += wrote;
  say(name, "%s", fd < 0 || wrote < 0 ? strerrorname_np(errno) : "ok");
}

int main(void) {
  fill("box", "/box/a");
  fill("tmp", "/tmp/b");
  fill("shm", "/dev/shm/c");
  say("mib", "%ld", total >> 20);
  int fd = open("/box/a", O_RDWR);
  TRY("fallocate", fallocate(fd, 0, 0, 64 << 20));
  /* Past the end of the disk through a mapping. */
  int sparse = open("/box/sparse", O_CREAT | O_RDWR, 0600);
  if (ftruncate(sparse, 32 << 20) != 0) return 1;
  pid_t child = fork();
  if (child == 0) {
    char* mapped = mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, sparse, 0);
    for (long at = 0; at < (32 << 20); at += 4096) mapped[at] = 1;
    _exit(7);
  }
  say_end("mapped", child);
  return 0;
}
