/* NET-03: everything that could put a packet on a wire. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "payload.h"

static long send_to(int type, int protocol, const char* address, int flags) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
  inet_pton(AF_INET, address, &to.sin_addr);
  int fd = socket(AF_INET, type, protocol);
  if (fd < 0) return -1;
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  if (type == SOCK_STREAM && flags == 0) return connect(fd, (struct sockaddr*)&to, sizeof to);
  return sendto(fd, "attack", 6, flags, (struct sockaddr*)&to, sizeof to);
}

static long send_six(void) {
  struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
  inet_pton(AF_INET6, "2001:4860:4860::8888", &to.sin6_addr);
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  return fd < 0 ? -1 : sendto(fd, "attack", 6, 0, (struct sockaddr*)&to, sizeof to);
}

static long bind_any(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(40000)};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  return fd < 0 ? -1 : bind(fd, (struct sockaddr*)&at, sizeof at);
}

int main(void) {
  TRY("tcp_public", send_to(SOCK_STREAM, 0, "8.8.8.8", 0));
  TRY("tcp_private", send_to(SOCK_STREAM, 0, "10.0.0.1", 0));
  TRY("udp_public", send_to(SOCK_DGRAM, 0, "8.8.8.8", 0));
  TRY("udp_private", send_to(SOCK_DGRAM, 0, "192.168.0.1", 0));
  TRY("udp_broadcast", send_to(SOCK_DGRAM, 0, "255.255.255.255", 0));
  TRY("udp6", send_six());
  TRY("icmp", send_to(SOCK_DGRAM, IPPROTO_ICMP, "8.8.8.8", 0));
  TRY("fast_open", send_to(SOCK_STREAM, 0, "8.8.8.8", MSG_FASTOPEN));
  TRY("bind_any", bind_any());
  return 0;
}
