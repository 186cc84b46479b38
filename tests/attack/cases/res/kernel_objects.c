/* RES-09: what the kernel allocates for a process. Several processes, since each has its own table of
 * descriptors. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "payload.h"

static char block[65536];

static long pipes(void) {
  long made = 0;
  int ends[2];
  while (pipe2(ends, O_NONBLOCK) == 0) {
    ++made;
    while (write(ends[1], block, sizeof block) > 0) {
    }
  }
  return made;
}

static long sockets(int type) {
  long made = 0;
  int pair[2];
  while (socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair) == 0) {
    ++made;
    int large = 4 << 20;
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    while (send(pair[0], block, type == SOCK_DGRAM ? 4096 : sizeof block, MSG_DONTWAIT) > 0) {
    }
  }
  return made;
}

/* Descriptors that are in no table: sent, and never received. */
static long in_flight(const char** stopped_by) {
  long sent = 0;
  int pair[2];
  *stopped_by = "nothing";
  for (int i = 0; i < 200; ++i) {
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) != 0) break;
    for (int k = 0; k < 64; ++k) {
      int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
      if (file < 0) {
        *stopped_by = strerrorname_np(errno);
        return sent;
      }
      char byte = 'x', space[CMSG_SPACE(sizeof file)] = "";
      struct iovec vector = {&byte, 1};
      struct msghdr message = {
          .msg_iov = &vector, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
      struct cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof file);
      memcpy(CMSG_DATA(header), &file, sizeof file);
      long result = sendmsg(pair[0], &message, 0);
      int error = errno;
      close(file);
      if (result < 0) {
        *stopped_by = strerrorname_np(error);
        break;
      }
      ++sent;
    }
  }
  return sent;
}

static long epolls(void) {
  long made = 0;
  int event_fd = eventfd(0, 0), poll_fd;
  struct epoll_event event = {.events = EPOLLIN};
  while ((poll_fd = epoll_create1(0)) >= 0) made += epoll_ctl(poll_fd, EPOLL_CTL_ADD, event_fd, &event) == 0;
  return made;
}

static long timers(void) {
  long made = 0;
  struct itimerspec often = {{0, 1000000}, {0, 1000000}};
  int fd;
  while ((fd = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0) made += timerfd_settime(fd, 0, &often, NULL) == 0;
  return made;
}

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  long made = 0;
  const char* stopped_by = "";
  int processes = 30;
  int ends[2];
  if (pipe(ends) != 0) return 1;
  for (int i = 0; i < processes; ++i) {
    if (fork() != 0) continue;
    if (strcmp(argv[1], "pipes") == 0) made = pipes();
    if (strcmp(argv[1], "sockets") == 0) made = sockets(SOCK_STREAM);
    if (strcmp(argv[1], "datagrams") == 0) made = sockets(SOCK_DGRAM);
    if (strcmp(argv[1], "in_flight") == 0) made = in_flight(&stopped_by);
    if (strcmp(argv[1], "epoll") == 0) made = epolls();
    if (strcmp(argv[1], "timers") == 0) made = timers();
    if (write(ends[1], &made, sizeof made) < 0) _exit(1);
    for (;;) pause();
  }
  long all = 0;
  for (int i = 0; i < processes; ++i) {
    if (read(ends[0], &made, sizeof made) != sizeof made) return 1;
    all += made;
  }
  say(argv[1], "%ld", all);
  return 0;
}
