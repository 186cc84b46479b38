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
  /* The query, whatever the kernel ignores is set to. */
  TRY("all_bits_and_high", syscall(SYS_personality, 0x1ffffffffUL));
  say("is", "%lx", syscall(SYS_personality, 0xffffffffUL));
  return 0;
}
