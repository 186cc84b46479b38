/* SYS-05: page faults handled in user space make races in the kernel winnable. */
#include "payload.h"

int main(void) {
  TRY("both", syscall(SYS_userfaultfd, O_CLOEXEC));
  TRY("user_mode_only", syscall(SYS_userfaultfd, O_CLOEXEC | 1));
  TRY("device", open("/dev/userfaultfd", O_RDWR));
  return 0;
}
