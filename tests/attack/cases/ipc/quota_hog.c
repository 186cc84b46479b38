/* IPC-07: takes what the kernel counts for each user. */
#include "payload.h"

int main(void) {
  int pipes = 0, last[2] = {-1, -1}, ends[2];
  for (int process = 0; process < 1; ++process) {
    while (pipe(ends) == 0) {
      last[0] = ends[0];
      last[1] = ends[1];
      ++pipes;
    }
  }
  say("pipes", "%d", pipes);
  say("last_pipe_bytes", "%d", fcntl(last[0], F_GETPIPE_SZ));
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  int queued = 0;
  while (queued < 100000 && kill(getpid(), SIGRTMIN) == 0) ++queued;
  say("signals", "%d", queued);
  wait_for_the_end();
}
