/* SIO-12: in packet mode a pipe would hand over each write by itself; that mode is refused. */
#include "payload.h"

int main(void) {
  if (fcntl(1, F_SETFL, O_DIRECT) == 0) return 1;
  for (int i = 0; i < 100000; ++i) {
    if (write(1, "y", 1) != 1) return 2;
  }
  return 0;
}
