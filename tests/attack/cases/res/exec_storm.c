/* RES-04: vfork and execute, as fast as it goes, and a signal to numbers that were used a moment ago. */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc > 1) return 0;
  for (int i = 0; i < 4; ++i) {
    if (fork() == 0) break;
  }
  for (;;) {
    pid_t child = vfork();
    if (child == 0) {
      execl(argv[0], argv[0], "end", (char*)NULL);
      _exit(1);
    }
    waitpid(child, NULL, 0);
    kill(child, SIGKILL);
    kill(child + 1, 0);
  }
}
