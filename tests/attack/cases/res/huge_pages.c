/* RES-21 */
#include "payload.h"

static void map(const char* name, int size_flag) {
  errno = 0;
  void* memory = mmap(NULL, 1UL << 30, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | size_flag, -1, 0);
  say(name, "%s", memory == MAP_FAILED ? strerrorname_np(errno) : "ok");
}

int main(void) {
  map("two_megabytes", 21 << 26);
  map("one_gigabyte", 30 << 26);
  TRY("memfd", syscall(SYS_memfd_create, "attack", MFD_HUGETLB));
  return 0;
}
