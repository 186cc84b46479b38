/* RES-05, RES-06, RES-08: memory until somebody says stop; at most two gigabytes. */
#include "payload.h"

#define MOST (2UL << 30)
#define STEP (1UL << 20)

static void touch(int flags) {
  char* memory = mmap(NULL, MOST, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) _exit(90);
  for (size_t at = 0; at < MOST; at += 4096) memory[at] = 1;
}

static void write_file(int fd) {
  static char block[STEP];
  memset(block, 1, sizeof block);
  for (size_t written = 0; written < MOST; written += STEP) {
    if (write(fd, block, STEP) < 0) {
      say("stopped", "%s", strerrorname_np(errno));
      _exit(91);
    }
  }
}

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  if (strcmp(argv[1], "anonymous") == 0) touch(MAP_PRIVATE);
  if (strcmp(argv[1], "shared") == 0) touch(MAP_SHARED);
  if (strcmp(argv[1], "tmpfs") == 0) write_file(open("/dev/shm/large", O_CREAT | O_WRONLY, 0600));
  if (strcmp(argv[1], "memfd") == 0) write_file((int)syscall(SYS_memfd_create, "attack", 0));
  if (strcmp(argv[1], "children") == 0) {
    for (int i = 0; i < 40; ++i) {
      if (fork() == 0) {
        volatile char* mine = malloc(4 * STEP);
        for (size_t at = 0; at < 4 * STEP; at += 4096) mine[at] = 1;
        for (;;) pause();
      }
    }
    for (;;) pause();
  }
  if (strcmp(argv[1], "refused") == 0) {
    TRY("memfd", syscall(SYS_memfd_create, "attack", 0));
    TRY("sysv", syscall(SYS_shmget, 0, 1 << 30, 0600 | 01000));
    return 0;
  }
  say("had", "it all");
  return 0;
}
