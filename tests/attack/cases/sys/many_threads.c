/* SYS-32: one thread's call ends the process; no other thread goes on. */
#include <pthread.h>
#include <sys/ptrace.h>

#include "payload.h"

#define THREADS 200

static int inside;

static void* busy(void* number) {
  __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
  int pipes[2];
  char byte;
  if ((long)number % 3 == 0 && pipe(pipes) == 0) {
    for (;;) (void)!read(pipes[0], &byte, 1);
  }
  for (;;) {
    getppid();
    if ((long)number % 3 == 1) sched_yield();
    if ((long)number % 50 == 2) usleep(1000);
  }
  return NULL;
}

int main(int argc, char** argv) {
  (void)argc;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (long i = 0; i < THREADS; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, &small, busy, (void*)i) != 0) return 1;
  }
  while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) < THREADS) sched_yield();
  say("threads", "%d", THREADS);
  if (strcmp(argv[1], "i386") == 0) {
    long number = 20;
    __asm__ volatile("int $0x80" : "+a"(number) : : "memory", "r8", "r9", "r10", "r11");
  } else {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
  }
  say("survived", "%s", argv[1]);
  return 0;
}
