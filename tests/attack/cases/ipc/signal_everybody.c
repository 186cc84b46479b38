/* IPC-14: signal 0 to every number, then a harmless real one to all at once. */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  char reached[256] = "", denied[256] = "";
  for (int pid = 1; pid < 70000; ++pid) {
    if (kill(pid, 0) == 0) {
      sprintf(reached + strlen(reached), "%s%s", reached[0] == '\0' ? "" : " ",
              pid == getpid() ? "self" : "other");
    } else if (errno == EPERM && strlen(denied) < 200) {
      sprintf(denied + strlen(denied), "%s%d", denied[0] == '\0' ? "" : " ", pid);
    }
  }
  if (kill(atoi(argv[1]), 0) == 0) strcat(reached, " host");
  say("reached", "%s", reached);
  say("permission_denied", "%s", denied);
  signal(SIGTERM, SIG_IGN);
  if (fork() == 0) {
    for (;;) pause();
  }
  TRY("all", kill(-1, SIGTERM));
  TRY("group", kill(0, SIGTERM));
  return 0;
}
