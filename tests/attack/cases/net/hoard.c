/* NET-17: what a network of one's own could use up of the host's, one kind in each run.
 *   orphans   connections with data that nobody reads, closed by who sent it
 *   waiting   connections that nobody accepts, closed by who made them
 *   half      the same from many processes at once
 *   datagrams as many as the interface takes, for two seconds
 *   scan      every port there is */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include "payload.h"

enum { kQueue = 120, kMost = 60000 };
static char block[65536];

static int server(struct sockaddr_in* at) {
  socklen_t size = sizeof *at;
  memset(at, 0, sizeof *at);
  at->sin_family = AF_INET;
  at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  int large = 1 << 24;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  if (fd < 0 || bind(fd, (struct sockaddr*)at, size) != 0 || listen(fd, 1 << 16) != 0) return -1;
  getsockname(fd, (struct sockaddr*)at, &size);
  return fd;
}

static void hoard(int fill) {
  struct sockaddr_in at;
  for (int made = 0; made < kMost;) {
    if (server(&at) < 0) break;
    for (int i = 0; i < kQueue; ++i, ++made) {
      int fd = socket(AF_INET, SOCK_STREAM, 0);
      if (fd < 0 || connect(fd, (struct sockaddr*)&at, sizeof at) != 0) break;
      while (send(fd, block, fill ? sizeof block : 1, MSG_DONTWAIT) > 0 && fill) {
      }
      close(fd);
    }
  }
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
  const char* what = argc < 2 ? "" : argv[1];
  if (strcmp(what, "orphans") == 0) {
    hoard(1);
  } else if (strcmp(what, "waiting") == 0) {
    hoard(0);
  } else if (strcmp(what, "half") == 0) {
    for (int i = 0; i < 16; ++i) {
      if (fork() == 0) hoard(0), _exit(0);
    }
    while (wait(NULL) > 0) {
    }
  } else if (strcmp(what, "datagrams") == 0) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (double end = seconds() + 2; seconds() < end;) {
      for (int i = 0; i < 100; ++i) sendto(fd, block, 60000, MSG_DONTWAIT, (struct sockaddr*)&to, sizeof to);
    }
    say("sent", "ok");
  } else if (strcmp(what, "scan") == 0) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int open = 0;
    for (int port = 1; port < 65536; ++port) {
      int fd = socket(AF_INET, SOCK_STREAM, 0);
      to.sin_port = htons((uint16_t)port);
      struct sockaddr_in own = {0};
      socklen_t size = sizeof own;
      /* A socket that was given the very port it looks for finds itself. */
      if (connect(fd, (struct sockaddr*)&to, sizeof to) == 0 &&
          (getsockname(fd, (struct sockaddr*)&own, &size) != 0 || own.sin_port != to.sin_port)) {
        ++open;
      }
      close(fd);
    }
    say("open", "%d", open);
  } else {
    return 1;
  }
  return 0;
}
