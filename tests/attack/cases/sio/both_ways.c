/* SIO-07 */
#include "payload.h"

int main(void) {
  char byte;
  long got = 0;
  while (read(0, &byte, 1) == 1) {
    ++got;
    if (write(1, "yyyy", 4) != 4) return 2;
  }
  return got == 256 << 10 ? 0 : 3;
}
