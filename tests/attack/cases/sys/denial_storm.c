/* SYS-33: many processes, each in refused calls all the time, each interrupted a thousand times a second. */
#include <sys/socket.h>
#include <sys/time.h>

#include "payload.h"

static void nothing(int number) { (void)number; }

int main(void) {
  for (int i = 0; i < 20; ++i) {
    if (fork() == 0) {
      struct sigaction action = {.sa_handler = nothing};
      sigaction(SIGALRM, &action, NULL);
      struct itimerval often = {{0, 1000}, {0, 1000}};
      setitimer(ITIMER_REAL, &often, NULL);
      for (;;) {
        socket(2, SOCK_STREAM, 0);
        syscall(SYS_setuid, 0);
        syscall(SYS_memfd_create, "", 0);
      }
    }
  }
  for (;;) pause();
}
