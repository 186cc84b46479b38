/* RES-29: each in a loop, each as large as it may be. */
#include <linux/futex.h>
#include <sys/random.h>
#include <sys/sendfile.h>

#include "payload.h"

#define HUGE_SIZE (1UL << 30)

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  const char* how = argv[1];
  int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_WRONLY);
  char* memory =
      mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char* file_memory = mmap(NULL, 64UL << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  int file = open("/box/large", O_CREAT | O_RDWR, 0600);
  if (ftruncate(file, 100 << 20) != 0) return 1;
  if (strcmp(how, "getdents") == 0) {
    for (int i = 0; i < 3000; ++i) {
      char path[64];
      snprintf(path, sizeof path, "/box/f%d", i);
      close(open(path, O_CREAT | O_WRONLY, 0600));
    }
  }
  static uint32_t words[2];
  for (;;) {
    if (strcmp(how, "read_zero") == 0 && read(zero, memory, HUGE_SIZE) < 0) return 1;
    if (strcmp(how, "sendfile") == 0 && sendfile(null, zero, NULL, 0x7ffff000) < 0 &&
        sendfile(null, file, &(off_t){0}, 100 << 20) < 0)
      return 1;
    if (strcmp(how, "getrandom") == 0 && getrandom(memory, 32 << 20, 0) < 0) return 1;
    if (strcmp(how, "madvise") == 0) madvise(file_memory, 64UL << 30, MADV_DONTNEED);
    if (strcmp(how, "copy") == 0 &&
        copy_file_range(file, &(loff_t){0}, file, &(loff_t){50 << 20}, 50 << 20, 0) < 0)
      return 1;
    if (strcmp(how, "populate") == 0)
      munmap(mmap(NULL, HUGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0), HUGE_SIZE);
    if (strcmp(how, "getdents") == 0) {
      int directory = open("/box", O_RDONLY | O_DIRECTORY);
      while (syscall(SYS_getdents64, directory, memory, 1 << 20) > 0) {
      }
      close(directory);
    }
    if (strcmp(how, "futex_requeue") == 0)
      syscall(SYS_futex, &words[0], FUTEX_CMP_REQUEUE, 0x7fffffff, 0x7fffffff, &words[1], 0);
  }
}
