/* RES-11: reading maps the zero page, so that nothing but page tables is used. */
#include "payload.h"

#define SIZE (64UL << 30)
#define STEP (2UL << 20)

int main(void) {
  volatile char* memory = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return 1;
  madvise((void*)memory, SIZE, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < SIZE; at += STEP) (void)memory[at];
  say("had", "it all");
  return 0;
}
