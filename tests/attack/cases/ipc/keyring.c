/* IPC-04: keys. */
#include <linux/keyctl.h>

#include "payload.h"

static long add(long ring) { return syscall(SYS_add_key, "user", "caisson-attack", "mark", 4, ring); }
static long search(long ring) {
  return syscall(SYS_keyctl, KEYCTL_SEARCH, ring, "user", "caisson-attack", 0);
}

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  if (strcmp(argv[1], "leave") == 0) {
    TRY("left", add(KEY_SPEC_USER_KEYRING));
    TRY("left_session", add(KEY_SPEC_USER_SESSION_KEYRING));
    return 0;
  }
  TRY("user", search(KEY_SPEC_USER_KEYRING));
  TRY("session", search(KEY_SPEC_USER_SESSION_KEYRING));
  TRY("persistent", search(syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING)));
  return 0;
}
