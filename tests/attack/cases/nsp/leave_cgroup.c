/* NSP-13: children of every kind, all of which try to leave. */
#include <pthread.h>

#include "payload.h"

static void* idle(void* unused) {
  for (;;) pause();
  return unused;
}

int main(void) {
  TRY("root", open("/sys/fs/cgroup/memory/cgroup.procs", O_WRONLY));
  TRY("unified", open("/sys/fs/cgroup/cgroup.procs", O_WRONLY));
  TRY("through_init", open("/proc/1/root/sys/fs/cgroup/cgroup.procs", O_WRONLY));
  int made = 0;
  for (int i = 0; i < 4; ++i) {
    pid_t child = fork();
    if (child == 0) {
      if (i % 2 == 0) setsid();
      if (i == 3 && fork() != 0) _exit(0); /* an orphan */
      pthread_t thread;
      pthread_create(&thread, NULL, idle, NULL);
      for (;;) pause();
    }
    made += child > 0;
  }
  say("children", "%d", made);
  wait_for_the_end();
}
