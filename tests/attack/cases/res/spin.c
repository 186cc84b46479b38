/* RES-15, RES-16: N processes that compute. */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  for (int i = 1; i < atoi(argv[1]); ++i) {
    if (fork() == 0) break;
  }
  for (volatile unsigned long i = 0;; ++i) {
  }
}
