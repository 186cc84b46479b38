/* An ordinary program beside a hostile one: it computes, writes, and ends. */
#include "payload.h"

int main(void) {
  for (int beat = 1; beat <= 3; ++beat) {
    char* memory = malloc(1 << 20);
    if (memory == NULL) return 1;
    memset(memory, beat, 1 << 20);
    say("beat", "%d", memory[(1 << 20) - 1]);
    free(memory);
    usleep(50000);
  }
  return 0;
}
