/* Opens each path of the arguments for reading, or after -w for writing; closes it at once. */
#include "payload.h"

int main(int argc, char** argv) {
  int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC, first = 1;
  if (argc > 1 && strcmp(argv[1], "-w") == 0) {
    flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC;
    first = 2;
  }
  char opened[2048] = "", errors[256] = "";
  for (int i = first; i < argc; ++i) {
    int fd = open(argv[i], flags);
    if (fd >= 0) {
      sprintf(opened + strlen(opened), "%s%.100s", opened[0] == '\0' ? "" : " ", argv[i]);
      close(fd);
    } else if (strstr(errors, strerrorname_np(errno)) == NULL) {
      sprintf(errors + strlen(errors), "%s%s", errors[0] == '\0' ? "" : " ", strerrorname_np(errno));
    }
  }
  say("opened", "%s", opened[0] == '\0' ? "none" : opened);
  say("errors", "%s", errors);
  return 0;
}
