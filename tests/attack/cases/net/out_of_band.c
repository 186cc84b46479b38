/* NET-20: out-of-band data on AF_UNIX, by each call that takes flags, with the flag among others and with
 * bits set that the kernel does not look at. */
#include <sys/socket.h>

#include "payload.h"

static int pair[2];

static long flagged(long number, unsigned long flags) {
  char byte = 'x';
  struct iovec vector = {&byte, 1};
  struct mmsghdr message = {.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}};
  const int sends = number == SYS_sendto || number == SYS_sendmsg || number == SYS_sendmmsg;
  const long fd = pair[sends ? 0 : 1];
  if (number == SYS_sendto || number == SYS_recvfrom) return syscall(number, fd, &byte, 1, flags, NULL, NULL);
  if (number == SYS_sendmsg || number == SYS_recvmsg) return syscall(number, fd, &message.msg_hdr, flags);
  return syscall(number, fd, &message, 1, flags, NULL);
}

/* There is always a byte of each kind to receive: the out-of-band one is sent where that is let through. */
static long receive(long number, unsigned long flags) {
  (void)send(pair[0], "o", 1, MSG_OOB);
  return flagged(number, flags | MSG_DONTWAIT);
}

int main(void) {
  const int one = 1;
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return 1;
  TRY("plain_send", flagged(SYS_sendto, MSG_NOSIGNAL));
  TRY("plain_receive", flagged(SYS_recvfrom, MSG_DONTWAIT));
  TRY("sendto", flagged(SYS_sendto, MSG_OOB));
  TRY("sendmsg", flagged(SYS_sendmsg, MSG_OOB | MSG_NOSIGNAL));
  TRY("sendmmsg", flagged(SYS_sendmmsg, MSG_OOB));
  TRY("sendto_high", flagged(SYS_sendto, 0x100000000 | MSG_OOB));
  TRY("recvfrom", receive(SYS_recvfrom, MSG_OOB));
  TRY("recvmsg", receive(SYS_recvmsg, MSG_OOB));
  TRY("recvmmsg", receive(SYS_recvmmsg, MSG_OOB));
  TRY("recvmsg_high", receive(SYS_recvmsg, 0x8000000000000000 | MSG_OOB));
  TRY("inline", setsockopt(pair[1], SOL_SOCKET, SO_OOBINLINE, &one, sizeof one));
  return 0;
}
