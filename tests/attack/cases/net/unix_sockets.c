/* NET-11, NET-12: a Unix socket by name; "@NAME" is abstract. */
#include <sys/socket.h>
#include <sys/un.h>

#include "payload.h"

static long reach(const char* name, int type) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  memcpy(to.sun_path, name, length);
  if (name[0] == '@') to.sun_path[0] = '\0';
  int fd = socket(AF_UNIX, type, 0);
  socklen_t size = (socklen_t)(sizeof(sa_family_t) + length + (name[0] == '@' ? 0 : 1));
  return fd < 0 ? -1 : connect(fd, (struct sockaddr*)&to, size);
}

int main(int argc, char** argv) {
  if (argc < 2 || strlen(argv[1]) > 100) return 1;
  TRY("connect", reach(argv[1], SOCK_STREAM));
  TRY("datagram", reach(argv[1], SOCK_DGRAM));
  return 0;
}
