// Runs in caissond, which is single-threaded: no other thread can hold a lock the child would need.
#include "sandbox/child_call.h"

#include <signal.h>
#include <sys/syscall.h>

#include "common/status.h"

namespace caisson::sandbox {
namespace {

// clone3 and, in the child, function(argument) on the new stack. The child must never come back into this
// frame.
long Clone3(const clone_args* arguments, void (*function)(void*), void* argument) {
  long result = 0;
  register void (*function_register)(void*) asm("r8") = function;
  register void* argument_register asm("r9") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r9, %%rdi\n\t"
      "call *%%r8\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(static_cast<long>(SYS_clone3)), "D"(arguments), "S"(sizeof *arguments), "r"(function_register),
        "r"(argument_register)
      : "rcx", "r11", "memory");
  return result;
}

}  // namespace

long RawSyscall(long number, long a, long b, long c, long d, long e) {
  long result = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return result;
}

absl::StatusOr<StartedChild> StartChild(const ChildCall& call) {
  int pidfd = -1;
  clone_args arguments{};
  constexpr uint64_t kAlways = CLONE_VM | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  arguments.flags = call.flags | kAlways;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  // A child of the parent's has the caller's own (clone(2)).
  arguments.exit_signal = (call.flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  arguments.stack = reinterpret_cast<uint64_t>(call.stack.data());
  arguments.stack_size = static_cast<uint64_t>(call.stack.size()) / 16 * 16;
  if (call.cgroup_fd >= 0) {
    arguments.cgroup = static_cast<uint32_t>(call.cgroup_fd);
  }
  const long result = Clone3(&arguments, call.function, call.argument);
  if (result < 0) {
    return ErrnoStatus(static_cast<int>(-result), "clone3");
  }
  return StartedChild{PidFd(UniqueFd(pidfd)), static_cast<pid_t>(result)};
}

}  // namespace caisson::sandbox
