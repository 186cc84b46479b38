/* SYS-21: the kernel's log. */
#include "payload.h"

int main(void) {
  char text[64];
  TRY("read_all", syscall(SYS_syslog, 3, text, sizeof text));
  TRY("size", syscall(SYS_syslog, 10, NULL, 0));
  TRY("kmsg_device", open("/dev/kmsg", O_RDONLY));
  TRY("kmsg_proc", open("/proc/kmsg", O_RDONLY));
  return 0;
}
