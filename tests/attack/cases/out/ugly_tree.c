/* OUT-13 */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  char path[64];
  int directories = 0;
  for (int i = 0; i < 12000; ++i) {
    snprintf(path, sizeof path, "/box/d%d", i);
    directories += mkdir(path, 0700) == 0;
    if (i % 100 == 0) {
      snprintf(path, sizeof path, "/box/l%d", i);
      if (symlink(argv[1], path) != 0) return 1;
    }
  }
  for (int depth = 0; depth < 1000 && mkdir("deep", 0700) == 0 && chdir("deep") == 0; ++depth) ++directories;
  say("directories", "%d", directories);
  for (int i = 0; i < 12000; ++i) {
    snprintf(path, sizeof path, "/box/d%d", i);
    chmod(path, 0);
  }
  return 0;
}
