/* PRC-16: the process stays the same, whichever thread executes. */
#include <pthread.h>

#include "payload.h"

static int generation;
static char* program;

static void* execute(void* unused) {
  char number[16];
  snprintf(number, sizeof number, "%d", generation + 1);
  execl(program, program, number, (char*)NULL);
  return unused;
}

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  program = argv[0];
  generation = atoi(argv[1]);
  if (generation == 200) {
    say("generations", "%d", generation);
    _exit(9);
  }
  pthread_t thread;
  if (generation % 2) execute(NULL);
  pthread_create(&thread, NULL, execute, NULL);
  for (;;) pause();
}
