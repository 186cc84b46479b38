/* RES-18 */
#include "payload.h"

int main(void) {
  for (int number = 1; number < 65; ++number) signal(number, SIG_IGN);
  struct rlimit soft = {1, RLIM_INFINITY};
  setrlimit(RLIMIT_CPU, &soft);
  for (volatile unsigned long i = 0;; ++i) {
  }
}
