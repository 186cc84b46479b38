// Starts a function in a child that shares caissond's memory but has its own stack: the only way caissond
// ever makes a process that is not an exec. The function may make raw system calls and nothing else: no
// allocation, no lock, no errno, no libc state.
#ifndef CAISSON_SANDBOX_CHILD_CALL_H_
#define CAISSON_SANDBOX_CHILD_CALL_H_

#include <linux/sched.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "common/pidfd.h"

namespace caisson::sandbox {

struct ChildCall {
  uint64_t flags = 0;  // CLONE_* beside CLONE_VM and CLONE_PIDFD, which are always set
  int cgroup_fd = -1;  // with CLONE_INTO_CGROUP
  std::span<std::byte> stack{};
  void (*function)(void*) = nullptr;  // must not return
  void* argument = nullptr;
};

struct StartedChild {
  PidFd process;
  pid_t pid = 0;  // ours until it is reaped
};

// clone3(2), Linux 5.7 for CLONE_INTO_CGROUP. `stack` must stay valid until the child has ended or exec'ed.
absl::StatusOr<StartedChild> StartChild(const ChildCall& call);

// A raw system call for such a function: the kernel's result, without touching errno.
long RawSyscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0);

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_CHILD_CALL_H_
