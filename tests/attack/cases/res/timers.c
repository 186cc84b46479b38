/* RES-23 */
#include <time.h>

#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN);
  timer_t timer;
  if (strcmp(argv[1], "many") == 0) {
    int timers = 0;
    while (timers < 100000 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) ++timers;
    say("timers", "%d", timers);
    say("then", "%s", strerrorname_np(errno));
  } else if (strcmp(argv[1], "queued") == 0) {
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    int queued = 0;
    while (queued < 100000 && sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0) ++queued;
    if (errno == EPERM) { /* rt_sigqueueinfo is refused: plain signals queue too */
      queued = 0;
      while (queued < 100000 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) {
        struct itimerspec once = {{0, 0}, {0, 1}};
        timer_settime(timer, 0, &once, NULL);
        ++queued;
      }
    }
    say("queued", "%d", queued);
    say("then", "%s", strerrorname_np(errno));
  } else {
    signal(SIGRTMIN, SIG_IGN);
    struct itimerspec often = {{0, 1}, {0, 1}};
    for (int i = 0; i < 500; ++i) {
      if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &often, NULL) != 0)
        return 1;
    }
    say("fast", "yes");
    for (;;) pause();
  }
  return 0;
}
