/* SYS-12: the x32 numbers of a 64-bit program. */
#include "payload.h"

#define X32 0x40000000UL

int main(void) {
  TRY_FORKED("getpid", syscall(X32 | 39));
  TRY_FORKED("read", syscall(X32 | 0, 0, 0, 0));
  TRY_FORKED("ioctl", syscall(X32 | 514, 0, 0x5412, 0));
  TRY_FORKED("execve", syscall(X32 | 520, 0, 0, 0));
  TRY_FORKED("ptrace", syscall(X32 | 521, 0, 0, 0, 0));
  TRY_FORKED("high", syscall(0x7fffffffUL));
  return 0;
}
