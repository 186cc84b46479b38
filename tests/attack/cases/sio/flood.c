/* SIO-01: STREAMS MEBIBYTES */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  static char block[65536];
  memset(block, 'y', sizeof block);
  for (long left = atol(argv[2]) << 20; left > 0; left -= (long)sizeof block) {
    for (const char* stream = argv[1]; *stream != '\0'; ++stream) {
      for (size_t done = 0; done < sizeof block;) {
        ssize_t wrote = write(*stream - '0', block + done, sizeof block - done);
        if (wrote <= 0) return 2;
        done += (size_t)wrote;
      }
    }
  }
  return 0;
}
