/* NET-18: options of a Unix socket. */
#include <linux/filter.h>
#include <sys/socket.h>

#include "payload.h"

static int fd;

static long set(int level, int option, const void* value, size_t size) {
  return setsockopt(fd, level, option, value, (socklen_t)size);
}

int main(void) {
  fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0xffff)};
  struct sock_fprog program = {1, code};
  int one = 1;
  TRY("attach_filter", set(SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
  TRY("attach_bpf", set(SOL_SOCKET, SO_ATTACH_BPF, &one, sizeof one));
  TRY("lock_filter", set(SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof one));
  TRY("bind_device", set(SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
  TRY("mark", set(SOL_SOCKET, SO_MARK, &one, sizeof one));
  TRY("priority", set(SOL_SOCKET, SO_PRIORITY, &one, sizeof one));
  TRY("force_buffer", set(SOL_SOCKET, SO_RCVBUFFORCE, &one, sizeof one));
  TRY("busy_poll", set(SOL_SOCKET, SO_BUSY_POLL, &one, sizeof one));
  TRY("peek_off", set(SOL_SOCKET, SO_PEEK_OFF, &one, sizeof one));
  TRY("tcp_level", set(6, 31, "tls", 4));
  errno = 0;
  long high = syscall(SYS_setsockopt, fd, 0x100000001L, SO_ATTACH_FILTER, &program, sizeof program);
  say("high_bits", "%s", outcome(high));
  return 0;
}
