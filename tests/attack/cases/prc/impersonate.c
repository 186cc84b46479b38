/* PRC-17 */
#include <sys/prctl.h>

#include "payload.h"

int main(int argc, char** argv) {
  (void)argc;
  prctl(PR_SET_NAME, "caisson-dispatc");
  int named[2];
  if (pipe(named) != 0) return 1;
  if (fork() == 0) {
    prctl(PR_SET_NAME, "caisson-init");
    close(named[0]);
    close(named[1]);
    for (;;) pause();
  }
  /* Both have their names before anybody is told to look. */
  char end;
  close(named[1]);
  while (read(named[0], &end, 1) > 0) continue;
  memset(argv[0], 0, strlen(argv[0]));
  memcpy(argv[0], "caissond", 8);
  close(open("/box/mine", O_CREAT | O_WRONLY, 0600));
  say("name", "%s", argv[0]);
  wait_for_the_end();
}
