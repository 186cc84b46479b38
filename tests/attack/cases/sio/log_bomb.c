/* SIO-02 */
#include <sys/socket.h>

#include "payload.h"

int main(void) {
  for (int i = 0; i < 2000; ++i) {
    socket(AF_INET, SOCK_STREAM, 0);
    syscall(SYS_setuid, 0);
    syscall(SYS_memfd_create, "a line for the log\n", 0);
    if (write(2, "caissond: [error] a line for the log, and another one, and so on, and so on\n", 76) < 0)
      return 1;
    if (i % 50 == 0) {
      pid_t child = fork();
      if (child == 0) abort();
      waitpid(child, NULL, 0);
    }
  }
  say("refused", "2000");
  say("lines", "sent");
  return 0;
}
