/* FSX-26: modes and mounts allow it; Landlock has no rule for it. */
#include "payload.h"

#define PROBE "/.caisson-landlock-probe"

int main(void) {
  TRY("read", open(PROBE, O_RDONLY));
  TRY("through_root", open("/proc/self/root" PROBE, O_RDONLY));
  int handle = open(PROBE, O_PATH);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
  TRY("opath_reopen", open(path, O_RDONLY));
  TRY("execute", execl(PROBE, PROBE, (char*)NULL));
  TRY("truncate", truncate(PROBE, 0));
  struct stat info;
  TRY("stat", stat(PROBE, &info));
  TRY("link", link(PROBE, "/box/probe"));
  return 0;
}
