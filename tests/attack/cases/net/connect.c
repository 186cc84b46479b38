/* NET-02: TCP to each ADDRESS:PORT of the arguments. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "payload.h"

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char host[64] = "";
    unsigned port = 0;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    int six = sscanf(argv[i], "[%63[^]]]:%u", host, &port) == 2;
    if (!six && sscanf(argv[i], "%63[^:]:%u", host, &port) != 2) return 1;
    v4.sin_port = v6.sin6_port = htons((uint16_t)port);
    if (inet_pton(six ? AF_INET6 : AF_INET, host, six ? (void*)&v6.sin6_addr : (void*)&v4.sin_addr) != 1)
      return 1;
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (fd < 0) {
      say(argv[i], "%s", strerrorname_np(errno));
      continue;
    }
    TRY(argv[i],
        connect(fd, six ? (struct sockaddr*)&v6 : (struct sockaddr*)&v4, six ? sizeof v6 : sizeof v4));
  }
  return 0;
}
