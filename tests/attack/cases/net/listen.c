/* NET-15: the other run, which listens at a TCP port of both families, a UDP port and an abstract name, and
 * tells if anybody came. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(argv[1]))};
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0caisson-attack-run"};
  struct pollfd watched[3] = {{socket(AF_INET6, SOCK_STREAM, 0), POLLIN, 0},
                              {socket(AF_INET6, SOCK_DGRAM, 0), POLLIN, 0},
                              {socket(AF_UNIX, SOCK_STREAM, 0), POLLIN, 0}};
  if (bind(watched[0].fd, (struct sockaddr*)&any, sizeof any) != 0 || listen(watched[0].fd, 8) != 0 ||
      bind(watched[1].fd, (struct sockaddr*)&any, sizeof any) != 0 ||
      bind(watched[2].fd, (struct sockaddr*)&name, sizeof(sa_family_t) + sizeof "\0caisson-attack-run" - 1) !=
          0 ||
      listen(watched[2].fd, 8) != 0) {
    return 2;
  }
  say("ready", "yes");
  poll(watched, 3, -1);
  say("came", "somebody");
  pause();
  return 0;
}
