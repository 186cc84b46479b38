/* FSX-24: the directories of the root. */
#include "payload.h"

int main(void) {
  TRY("rmdir_box", rmdir("/box"));
  TRY("rename_tmp", rename("/tmp", "/box/tmp"));
  TRY("unlink_dev", unlink("/dev"));
  TRY("mkdir_root", mkdir("/attack", 0777));
  TRY("symlink_root", symlink("/box", "/attack"));
  TRY("device_removed", unlink("/dev/null"));
  TRY("chmod_shm", chmod("/dev/shm", 0777));
  TRY("chmod_root", chmod("/", 0777));
  TRY("chmod_box", chmod("/box", 0));
  return 0;
}
