/* RES-13: names of 200 characters that are not there. */
#include "payload.h"

int main(void) {
  char path[256];
  struct stat info;
  memset(path, 'x', sizeof path);
  for (long i = 0; i < 150000; ++i) {
    int used = snprintf(path, sizeof path, "/%s/%ld", i % 2 ? "usr/lib" : "box", i);
    path[used] = 'x';
    path[220] = '\0';
    stat(path, &info);
  }
  say("looked", "150000");
  return 0;
}
