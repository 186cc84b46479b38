/* PRV-14: from a namespace to its owner, and to the one around it. */
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "payload.h"

int main(void) {
  int user = open("/proc/self/ns/user", O_RDONLY);
  int mount = open("/proc/self/ns/mnt", O_RDONLY);
  say("user_open", "%s", user >= 0 && mount >= 0 ? "ok" : strerrorname_np(errno));
  uid_t owner = 12345;
  errno = 0;
  int result = ioctl(user, NS_GET_OWNER_UID, &owner);
  say("owner_uid", result == 0 ? "ok %u" : strerrorname_np(errno), owner);
  TRY("userns", ioctl(mount, NS_GET_USERNS));
  TRY("parent", ioctl(user, NS_GET_PARENT));
  return 0;
}
