/* RES-19 */
#include <sys/socket.h>

#include "payload.h"

static int use_up(void) {
  int count = 0;
  while (open("/dev/null", O_RDONLY) >= 0) ++count;
  return count;
}

int main(void) {
  int count = use_up();
  say("mine", "%s %d", strerrorname_np(errno), count);
  TRY("dup", dup(0));
  int ends[2];
  TRY("pipe", pipe(ends));
  TRY("socket", socket(AF_UNIX, SOCK_STREAM, 0));
  int children = 0;
  for (int i = 0; i < 10; ++i) {
    pid_t child = fork();
    if (child == 0) {
      for (;;) pause();
    }
    children += child > 0;
  }
  say("children", "%d", children);
  return 0;
}
