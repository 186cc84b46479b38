// Compiles a profile's syscall filter to BPF, once, at load. Pure: it installs nothing.
#ifndef CAISSON_POLICY_FILTER_COMPILER_H_
#define CAISSON_POLICY_FILTER_COMPILER_H_

#include <linux/filter.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/profile.h"

namespace caisson::policy {

inline constexpr size_t kSyscallNumbers = 1024;  // entries of the deny table
// What stands for any call through the 32-bit gate, and any with the x32 bit: numbers that the filter never
// lets get so far. ipc/run_streams.h has the same for init.
inline constexpr int kI386Call = 1022;
inline constexpr int kX32Call = 1023;

// A call that init counts and lets go on, and the bits of its arguments that rules look at.
struct ObservedCall {
  uint32_t number = 0;
  std::array<uint32_t, 6> masks{};
};

struct CompiledFilter {
  std::vector<sock_filter> program;
  // What init answers when the program notifies it: the errno, or 255 to kill; 0 means EPERM.
  std::array<uint8_t, kSyscallNumbers> deny_answers{};
  // A bit for each command of fcntl that init counts and lets go on.
  uint64_t counted_fcntl = 0;
  // Of a learning run: by number, what is notified. Empty for every other.
  std::vector<ObservedCall> observed;
  std::array<uint8_t, 32> digest{};  // SHA-256 of the program's bytes
};

// Architecture first (anything but x86-64, and x32, is notified and ends the run), numbers above the newest
// that libseccomp knows ENOSYS, allowed calls ALLOW, silent errnos and successes ERRNO, all else USER_NOTIF.
// With a rule that observes it is the other way round: what is observed or counted is USER_NOTIF, and all
// else the kernel refuses by itself, since init lets every notified call go on. kInvalidArgument for unknown
// syscall names or contradictory rules (the same call and conditions, two actions).
absl::StatusOr<CompiledFilter> CompileFilter(const SyscallFilter& filter);

// "openat" for 257; "i386_syscall" and "x32_syscall" for foreign ones; "syscall_1000" for what libseccomp
// does not know.
std::string SyscallName(int number);

// The newest x86-64 syscall number that libseccomp knows.
int NewestKnownSyscall();

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_FILTER_COMPILER_H_
