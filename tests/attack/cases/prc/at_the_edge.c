/* PRC-13 */
#include <time.h>

#include "payload.h"

/* Before main, before the C library has started threads or streams. */
__attribute__((constructor)) static void first(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "at-once") == 0) __asm__ volatile("ud2");
  if (argc > 1 && strcmp(argv[1], "exit-at-once") == 0) syscall(SYS_exit_group, 5);
}

int main(void) {
  struct timespec limit = {0, 199500000};
  nanosleep(&limit, NULL);
  return 0;
}
