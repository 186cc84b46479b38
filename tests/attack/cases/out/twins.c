/* OUT-10 */
#include "payload.h"

static void file(const char* path, const char* text) {
  int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) _exit(1);
}

int main(void) {
  mkdir("/box/out", 0755);
  file("/box/in.txt", "changed");
  file("/box/out/A", "upper");
  file("/box/out/a", "lower");
  file("/box/out/\u00e9", "composed");
  file("/box/out/e\u0301", "decomposed");
  return 0;
}
