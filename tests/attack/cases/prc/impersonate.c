/* PRC-17 */
#include <sys/prctl.h>

#include "payload.h"

int main(int argc, char** argv) {
  (void)argc;
  prctl(PR_SET_NAME, "caisson-dispatc");
  if (fork() == 0) {
    prctl(PR_SET_NAME, "caisson-init");
    for (;;) pause();
  }
  memset(argv[0], 0, strlen(argv[0]));
  memcpy(argv[0], "caissond", 8);
  close(open("/box/mine", O_CREAT | O_WRONLY, 0600));
  say("name", "%s", argv[0]);
  wait_for_the_end();
}
