/* RES-30 */
#include "payload.h"

int main(void) {
  int zombies = 0;
  pid_t child;
  while ((child = fork()) >= 0 && zombies < 1000) {
    if (child == 0) _exit(0);
    ++zombies;
  }
  say("zombies", "%d", zombies);
  while (waitpid(-1, NULL, 0) > 0) {
  }
  int orphans = 0;
  while (orphans < 3000) {
    child = fork();
    if (child == 0) {
      for (int i = 0; i < 30; ++i) {
        pid_t orphan = fork();
        if (orphan == 0) _exit(0);
        if (orphan < 0) _exit(1);
      }
      _exit(0); /* whose children are init's now */
    }
    int status = 0;
    if (child > 0 && waitpid(child, &status, 0) == child && status == 0) orphans += 30;
  }
  say("orphans", "%d", orphans);
  return 0;
}
