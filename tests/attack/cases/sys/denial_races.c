/* SYS-35: the asker of a notification is gone, is another program, or is a new process by the time the answer
 * comes. */
#include <pthread.h>

#include "payload.h"

static void* refused_for_ever(void* unused) {
  for (;;) syscall(SYS_setuid, 0);
  return unused;
}

static int one(int kind) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    if (kind == 0) { /* killed in the middle */
      pid_t victim = fork();
      if (victim == 0) refused_for_ever(NULL);
      kill(victim, SIGKILL);
      waitpid(victim, NULL, 0);
      _exit(0);
    }
    if (kind == 1) { /* another thread ends the process */
      pthread_t thread;
      pthread_create(&thread, NULL, refused_for_ever, NULL);
      sched_yield();
      _exit(0);
    }
    if (kind == 2) { /* another thread executes a program */
      pthread_t thread;
      pthread_create(&thread, NULL, refused_for_ever, NULL);
      sched_yield();
      execl("/box/program", "/box/program", "end", (char*)NULL);
      _exit(1);
    }
    /* the answer of one's own call is right, whoever else is asking */
    for (int i = 0; i < 20; ++i) {
      errno = 0;
      if (syscall(SYS_setuid, 0) != -1 || errno != EPERM) _exit(1);
      errno = 0;
      if (syscall(SYS_socket, 2, 1, 0) != -1 || errno != EAFNOSUPPORT) _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1) return 0;
  int other = 0;
  for (int i = 0; i < 240; ++i) other += one(i % 4) != 0;
  say("refused", "%s", other == 0 ? "all" : "not all");
  say("other", "%d", other);
  return 0;
}
