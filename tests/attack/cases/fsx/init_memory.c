/* FSX-06: the memory of whoever writes the result; and its own, past the protection of its pages. */
#include "payload.h"

int main(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", getppid());
  TRY("read", open("/proc/1/mem", O_RDONLY));
  TRY("write", open("/proc/1/mem", O_RDWR));
  TRY("parent", open(path, O_RDONLY));
  TRY("clear_refs", open("/proc/1/clear_refs", O_WRONLY));
  TRY("own_write", open("/proc/self/mem", O_RDWR));
  return 0;
}
