// The syscall filter that init puts on itself once its sandbox stands. Pure, so that a test can hold it to a
// plain reading, number by number.
#ifndef CAISSON_SANDBOX_INIT_INIT_FILTER_H_
#define CAISSON_SANDBOX_INIT_INIT_FILTER_H_

#include <asm/unistd.h>
#include <linux/filter.h>

namespace caisson::init {

// Reading notifications and records, reaping, killing, reporting, collecting, leaving.
inline constexpr int kInitCalls[] = {
    __NR_read,       __NR_write,         __NR_close,           __NR_ppoll,   __NR_ioctl,
    __NR_wait4,      __NR_kill,          __NR_recvmsg,         __NR_sendmsg, __NR_getrusage,
    __NR_exit_group, __NR_clock_gettime, __NR_restart_syscall, __NR_openat2, __NR_statx,
    __NR_getdents64};
inline constexpr unsigned kInitCallCount = sizeof kInitCalls / sizeof *kInitCalls;

// These are allowed, and mmap if its result can only be read; everything else, other architectures and x32
// included, kills.
struct InitFilter {
  static constexpr unsigned kLength = kInitCallCount + 9;
  sock_filter code[kLength];
};
InitFilter MakeInitFilter();

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_INIT_FILTER_H_
