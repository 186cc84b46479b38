/* PRV-10: memory that the kernel may not take back. */
#include "payload.h"

#define SIZE (96UL << 20)

int main(void) {
  void* memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  TRY("mlock", syscall(SYS_mlock, memory, SIZE));
  TRY("mlock2", syscall(SYS_mlock2, memory, SIZE, 1));
  TRY("mlockall", syscall(SYS_mlockall, MCL_CURRENT | MCL_FUTURE));
  TRY("on_fault", syscall(SYS_mlockall, MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT));
  errno = 0;
  void* locked = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
  say("map_locked", "%s", locked == MAP_FAILED ? strerrorname_np(errno) : "ok");
  return 0;
}
