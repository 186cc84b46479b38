/* RES-26 */
#include <sys/file.h>

#include "payload.h"

int main(void) {
  int lock = open("/box/lock", O_CREAT | O_RDWR, 0600);
  flock(lock, LOCK_EX);
  int ends[2];
  static char block[65536];
  if (pipe2(ends, O_NONBLOCK) != 0) return 1;
  while (write(ends[1], block, sizeof block) > 0) {
  }
  int disk = open("/box/full", O_CREAT | O_WRONLY, 0600);
  while (write(disk, block, sizeof block) > 0) {
  }
  pid_t stopped = fork();
  if (stopped == 0) {
    raise(SIGSTOP);
    for (;;) pause();
  }
  if (vfork() == 0) {
    for (;;) {
      char* memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory != MAP_FAILED) memset(memory, 1, 1 << 20);
    }
  }
  return 0;
}
