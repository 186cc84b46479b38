/* PRV-04: every way to get a capability without executing anything. */
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#include "payload.h"

int main(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct all[2] = {{~0u, ~0u, ~0u}, {~0u, ~0u, ~0u}};
  TRY("capset", syscall(SYS_capset, &header, all));
  TRY("ambient_raise", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
  TRY("keep_caps", prctl(PR_SET_KEEPCAPS, 1));
  TRY("securebits", prctl(PR_SET_SECUREBITS, 0));
  TRY("bounding_drop", prctl(PR_CAPBSET_DROP, CAP_CHOWN));
  return 0;
}
