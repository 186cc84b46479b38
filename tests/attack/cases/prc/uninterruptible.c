/* PRC-14 */
#include <pthread.h>

#include "payload.h"

static void* execute(void* unused) {
  char* const words[] = {"/box/program", "wait", NULL};
  execve(words[0], words, NULL);
  return unused;
}

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  const char* how = argv[1];
  if (strcmp(how, "vfork") == 0 && vfork() == 0) {
    for (;;) pause();
  }
  if (strcmp(how, "vfork-chain") == 0) {
    static volatile int depth;
    for (; depth < 20 && vfork() == 0; ++depth) {
    }
  }
  if (strcmp(how, "stopped-vfork") == 0 && vfork() == 0) {
    raise(SIGSTOP);
    for (;;) pause();
  }
  if (strcmp(how, "exec-threads") == 0) {
    for (int i = 0; i < 20; ++i) {
      pthread_t thread;
      pthread_create(&thread, NULL, execute, NULL);
    }
  }
  for (;;) pause();
}
