/* RES-17 */
#include <pthread.h>
#include <sys/file.h>

#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  const char* how = argv[1];
  if (strcmp(how, "sleep") == 0) sleep(1000);
  if (strcmp(how, "stop") == 0) raise(SIGSTOP);
  if (strcmp(how, "fifo") == 0 && mkfifo("/box/fifo", 0600) == 0) open("/box/fifo", O_RDONLY);
  if (strcmp(how, "fifo") == 0) {
    /* mknod is refused here: two pipe ends do as well */
    int ends[2];
    char byte;
    if (pipe(ends) != 0 || read(ends[0], &byte, 1) != 0) return 1;
  }
  if (strcmp(how, "deadlock") == 0) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
  }
  if (strcmp(how, "vfork") == 0) {
    if (vfork() == 0) {
      for (;;) pause();
    }
  }
  if (strcmp(how, "child") == 0) {
    pid_t child = fork();
    if (child == 0) {
      raise(SIGSTOP);
      for (;;) pause();
    }
    waitpid(child, NULL, 0);
  }
  if (strcmp(how, "sigwait") == 0) {
    sigset_t all;
    int number;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;) sigwait(&all, &number);
  }
  if (strcmp(how, "flock") == 0) {
    int first = open("/box/lock", O_CREAT | O_RDWR, 0600), second = open("/box/lock", O_RDWR);
    flock(first, LOCK_EX);
    flock(second, LOCK_EX);
  }
  return 0;
}
