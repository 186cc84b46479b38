/* NET-13: a descriptor over a socket pair; it is what was sent, from whom it says. */
#include <sys/socket.h>

#include "payload.h"

static int is_socket(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

int main(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) return 1;
  int file = open("/box/passed", O_CREAT | O_RDWR, 0600);
  struct stat sent, received;
  fstat(file, &sent);
  pid_t child = fork();
  char byte = 'x', space[CMSG_SPACE(sizeof(int))] = "";
  struct iovec vector = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  if (child == 0) {
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &file, sizeof file);
    _exit(sendmsg(pair[1], &message, 0) == 1 ? 0 : 1);
  }
  int got = -1;
  if (recvmsg(pair[0], &message, 0) == 1 && CMSG_FIRSTHDR(&message) != NULL)
    memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
  waitpid(child, NULL, 0);
  int same = fstat(got, &received) == 0 && sent.st_ino == received.st_ino && sent.st_dev == received.st_dev;
  say("passed", "%s", same ? "the same file" : "something else");
  say("streams_are_sockets", "%s", is_socket(0) || is_socket(1) || is_socket(2) ? "yes" : "no");
  struct ucred peer;
  socklen_t size = sizeof peer;
  getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &size);
  say("peer", "%s", peer.uid == getuid() && peer.pid == getpid() ? "own" : "foreign");
  return 0;
}
