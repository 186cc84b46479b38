/* NET-19: SCM_CREDENTIALS. */
#include <sys/socket.h>

#include "payload.h"

static int pair[2];

static long claim(pid_t pid, uid_t uid) {
  struct ucred claimed = {pid, uid, uid};
  char byte = 'x', space[CMSG_SPACE(sizeof claimed)] = "";
  struct iovec vector = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_CREDENTIALS;
  header->cmsg_len = CMSG_LEN(sizeof claimed);
  memcpy(CMSG_DATA(header), &claimed, sizeof claimed);
  return sendmsg(pair[0], &message, 0);
}

int main(void) {
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) return 1;
  TRY("root", claim(getpid(), 0));
  TRY("init", claim(1, getuid()));
  TRY("own", claim(getpid(), getuid()));
  struct ucred peer;
  socklen_t size = sizeof peer;
  getsockopt(pair[1], SOL_SOCKET, SO_PEERCRED, &peer, &size);
  say("peer_uid", "%u", peer.uid);
  return 0;
}
