/* PRV-06: set-uid bits on a file of its own. */
#include <sys/auxv.h>

#include "payload.h"

int main(int argc, char** argv) {
  if (argc > 1) {
    say("euid", "%lu", getauxval(AT_EUID));
    say("egid", "%lu", getauxval(AT_EGID));
    say("secure", "%lu", getauxval(AT_SECURE));
    return 0;
  }
  TRY("chmod", chmod(argv[0], 06777));
  execl(argv[0], argv[0], "again", NULL);
  say("exec", "%s", strerrorname_np(errno));
  return 1;
}
