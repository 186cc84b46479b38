/* SYS-10: execution domains. */
#include <sys/personality.h>

#include "payload.h"

int main(void) {
  TRY("READ_IMPLIES_EXEC", syscall(SYS_personality, READ_IMPLIES_EXEC));
  TRY("MMAP_PAGE_ZERO", syscall(SYS_personality, MMAP_PAGE_ZERO));
  TRY("ADDR_NO_RANDOMIZE", syscall(SYS_personality, ADDR_NO_RANDOMIZE));
  TRY("PER_LINUX32", syscall(SYS_personality, PER_LINUX32));
  TRY("ADDR_LIMIT_3GB", syscall(SYS_personality, ADDR_LIMIT_3GB));
  TRY("high_bits", syscall(SYS_personality, 0x100000000UL | ADDR_NO_RANDOMIZE));
  TRY("query", syscall(SYS_personality, 0xffffffffUL));
  FILE* file = fopen("/proc/self/personality", "r");
  unsigned is = 1;
  if (file == NULL || fscanf(file, "%x", &is) != 1) return 1;
  say("is", "%x", is);
  return 0;
}
