/* FSX-16: the directories of the input become links to a directory of the host's. */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  TRY("swapped", rename("/box/in/a", "/box/old") == 0 && symlink(argv[1], "/box/in/a") == 0 &&
                         rename("/box/in", "/box/older") == 0
                     ? symlink(argv[1], "/box/in")
                     : -1);
  TRY("main_replaced", unlink("/box/program") == 0 ? symlink(argv[1], "/box/program") : -1);
  return 0;
}
