/* OUT-07 */
#include "payload.h"

int main(void) {
  char path[300];
  int files = 0;
  for (int i = 0; i < 3000; ++i) {
    memset(path, 'n', sizeof path);
    int used = snprintf(path, sizeof path, "f%d", i);
    path[used] = 'n';
    path[255] = '\0';
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    files += fd >= 0 && write(fd, "x", 1) == 1;
    close(fd);
  }
  say("files", "%d", files);
  int levels = 0;
  memset(path, 'd', 255);
  path[255] = '\0';
  while (levels < 300 && mkdir(path, 0755) == 0 && chdir(path) == 0) ++levels;
  close(open("deep", O_CREAT | O_WRONLY, 0644));
  say("levels", "%d", levels);
  return 0;
}
