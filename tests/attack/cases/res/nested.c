/* RES-31 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "payload.h"

static long add(int outer, int inner) {
  struct epoll_event event = {.events = EPOLLIN};
  return epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event);
}

int main(void) {
  int depth = 0, inner = epoll_create1(0), outer;
  while (depth < 100 && (outer = epoll_create1(0)) >= 0 && add(outer, inner) == 0) {
    inner = outer;
    ++depth;
  }
  say("epoll_depth", "%d", depth);
  int a = epoll_create1(0), b = epoll_create1(0);
  add(a, b);
  TRY("epoll_loop", add(b, a));
  int target = epoll_create1(0), fan = 0;
  while (fan < 500 && add(epoll_create1(0), target) == 0) ++fan;
  say("fan", "%d", fan);
  /* A socket that carries a socket that carries … itself, for the kernel's collector of garbage. */
  int carried = 0, pair[2], last = -1;
  for (; carried < 15; ++carried) {
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) break;
    int passed = last < 0 ? pair[1] : last;
    char byte = 'x', space[CMSG_SPACE(sizeof passed)] = "";
    struct iovec vector = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof passed);
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
    if (sendmsg(pair[0], &message, 0) < 0) break;
    close(pair[0]);
    last = pair[1];
  }
  say("sockets_in_sockets", "%d", carried);
  return 0;
}
