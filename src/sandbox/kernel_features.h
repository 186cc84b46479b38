// Features of the running kernel that are probed by use, never by version.
#ifndef CAISSON_SANDBOX_KERNEL_FEATURES_H_
#define CAISSON_SANDBOX_KERNEL_FEATURES_H_

#include <cstdint>

namespace caisson::sandbox {

// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV where the kernel has it (5.19), else 0: with it a signal other than
// a fatal one cannot make a payload repeat a refused call that init already answered.
uint32_t NotifyFlags();

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_KERNEL_FEATURES_H_
