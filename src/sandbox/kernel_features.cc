#include "sandbox/kernel_features.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace caisson::sandbox {

uint32_t NotifyFlags() {
  constexpr uint32_t kWaitKillable = 1U << 5U;  // KERNEL(5.19)
  // A null program is looked at only after the flags were found to be known: EFAULT instead of EINVAL, no
  // effect.
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                              SECCOMP_FILTER_FLAG_NEW_LISTENER | kWaitKillable, nullptr);
  return result != 0 && errno == EFAULT ? kWaitKillable : 0;
}

}  // namespace caisson::sandbox
