// Raw x86-64 system calls, since caisson-init has no libc: glibc's static start alone costs ten times what
// this program needs for everything. Results are the kernel's: negative values are -errno.
#ifndef CAISSON_SANDBOX_INIT_SYSCALL_H_
#define CAISSON_SANDBOX_INIT_SYSCALL_H_

#include <asm/unistd_64.h>
#include <stddef.h>
#include <stdint.h>

namespace caisson::init {

inline long Syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

// SAFETY: the kernel takes addresses as register-sized integers.
inline long Address(const void* pointer) { return reinterpret_cast<long>(pointer); }

inline bool IsError(long result) { return result < 0 && result >= -4095; }

[[noreturn]] inline void ExitGroup(int code) {
  for (;;) {
    Syscall(__NR_exit_group, code);
  }
}

inline long Write(int fd, const void* bytes, size_t size) {
  return Syscall(__NR_write, fd, Address(bytes), static_cast<long>(size));
}

inline long Read(int fd, void* bytes, size_t size) {
  return Syscall(__NR_read, fd, Address(bytes), static_cast<long>(size));
}

inline long Close(int fd) { return Syscall(__NR_close, fd); }

inline long Prctl(int option, unsigned long a = 0, unsigned long b = 0, unsigned long c = 0,
                  unsigned long d = 0) {
  return Syscall(__NR_prctl, option, static_cast<long>(a), static_cast<long>(b), static_cast<long>(c),
                 static_cast<long>(d));
}

inline long Mount(const char* source, const char* target, const char* type, unsigned long flags,
                  const char* data) {
  return Syscall(__NR_mount, Address(source), Address(target), Address(type), static_cast<long>(flags),
                 Address(data));
}

// Nanoseconds of CLOCK_MONOTONIC, by the plain system call: the vDSO is not worth finding for two readings a
// run.
inline int64_t MonotonicNanos() {
  struct {
    int64_t seconds;
    int64_t nanos;
  } now{};
  constexpr long kClockMonotonic = 1;
  Syscall(__NR_clock_gettime, kClockMonotonic, Address(&now));
  return now.seconds * 1'000'000'000 + now.nanos;
}

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_SYSCALL_H_
