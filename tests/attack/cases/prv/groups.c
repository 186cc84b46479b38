/* PRV-03: supplementary groups, and the ids of file access. */
#include <grp.h>

#include "payload.h"

int main(void) {
  gid_t wanted[2] = {0, 4};
  TRY("setgroups", syscall(SYS_setgroups, 2, wanted));
  say("getgroups", "%d", getgroups(0, NULL));
  TRY("write_setgroups", open("/proc/self/setgroups", O_WRONLY));
  /* setfsuid never fails: it returns the id before. */
  syscall(SYS_setfsuid, 0);
  syscall(SYS_setfsgid, 0);
  int file = open("/tmp/made", O_CREAT | O_WRONLY, 0600);
  struct stat info;
  if (file < 0 || fstat(file, &info) != 0) return 1;
  say("setfsuid_kept", "%u", info.st_uid);
  say("setfsgid_kept", "%u", info.st_gid);
  return 0;
}
