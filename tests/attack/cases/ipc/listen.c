/* IPC-03: waits for somebody at an abstract socket. */
#include <sys/socket.h>
#include <sys/un.h>

#include "payload.h"

int main(int argc, char** argv) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  if (argc < 2) return 1;
  memcpy(at.sun_path + 1, argv[1] + 1, strlen(argv[1]) - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  TRY("listening", bind(fd, (struct sockaddr*)&at, (socklen_t)(sizeof(sa_family_t) + strlen(argv[1]))) == 0
                       ? listen(fd, 4)
                       : -1);
  say("ready", "yes");
  for (;;) {
    if (accept(fd, NULL, NULL) >= 0) say("visitors", "met");
  }
}
