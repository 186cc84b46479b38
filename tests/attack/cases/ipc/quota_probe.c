/* IPC-07: has anything become scarce? */
#include <sys/epoll.h>

#include "payload.h"

int main(void) {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  say("pipe_bytes", "%d", fcntl(ends[0], F_GETPIPE_SZ));
  int poll_fd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  TRY("epoll", epoll_ctl(poll_fd, EPOLL_CTL_ADD, ends[0], &event));
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  int failed = 0;
  for (int i = 0; i < 100; ++i) failed += kill(getpid(), SIGRTMIN) != 0;
  say("signals", "%s", failed == 0 ? "ok" : "refused");
  int processes = 0;
  for (int i = 0; i < 10; ++i) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    processes += child > 0;
  }
  say("processes", "%d", processes);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
  TRY("file_locks", fcntl(open("/box/lock", O_CREAT | O_RDWR, 0600), F_SETLK, &lock));
  return 0;
}
