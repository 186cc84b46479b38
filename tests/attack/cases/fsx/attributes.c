/* FSX-19: extended attributes. */
#include <sys/xattr.h>

#include "payload.h"

int main(void) {
  static char large[65536];
  close(open("/box/f", O_CREAT | O_WRONLY, 0700));
  TRY("user", setxattr("/box/f", "user.attack", "x", 1, 0));
  TRY("security", setxattr("/box/f", "security.attack", "x", 1, 0));
  static const unsigned char kCapabilities[20] = {1, 0, 0, 2, 0xff, 0xff, 0xff, 0xff};
  TRY("capability", setxattr("/box/f", "security.capability", kCapabilities, sizeof kCapabilities, 0));
  TRY("trusted", setxattr("/box/f", "trusted.attack", "x", 1, 0));
  TRY("acl", setxattr("/box/f", "system.posix_acl_access", "\2\0\0\0", 4, 0));
  int stored = 0;
  for (int i = 0; i < 1000; ++i) {
    char name[64];
    snprintf(name, sizeof name, "user.attack%d", i);
    stored += setxattr("/box/f", name, large, sizeof large, 0) == 0;
  }
  say("many", "%d", stored);
  return 0;
}
