// A syscall filter that a process loads into itself: an allowlist, every call off it fails with EPERM. Runs
// in the dispatcher, the gateway and its connector, before any byte of a stranger. No untrusted input.
#ifndef CAISSON_LOCKDOWN_FILTER_BUILDER_H_
#define CAISSON_LOCKDOWN_FILTER_BUILDER_H_

#include <seccomp.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "absl/status/status.h"

namespace caisson::lockdown {

class FilterBuilder {
 public:
  // A call of another architecture ends the process.
  FilterBuilder();

  // `name` as libseccomp knows it; the first mistake is what Load and Write return.
  void Rule(uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> conditions = {});
  void Allow(std::initializer_list<const char*> names);

  // What a C++ program with threads calls whatever it does: memory, threads, who it is, how much there is.
  // Calls with rules of their own are below.
  void AllowRuntime();

  // The calls that nothing of ours makes and an exploit would: they end the process.
  void KillHostile();
  // Threads, not processes, and in no new namespace.
  void AllowThreads();
  // Memory that is not executable: no new code after the start.
  void AllowMemory();

  // For this thread and all it will start. Needs no_new_privs.
  absl::Status Load();
  // The same program, as struct sock_filter after struct sock_filter. Loads nothing.
  absl::Status Write(int fd);

 private:
  void Check(int result, const char* what);
  void Fail(const char* what, const std::string& reason);

  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  absl::Status status_;
};

constexpr scmp_arg_cmp Masked(unsigned int argument, scmp_datum_t mask, scmp_datum_t value) {
  return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// The low 32 bits, which is what the kernel looks at where an argument is an int.
constexpr scmp_arg_cmp Equal(unsigned int argument, scmp_datum_t value) {
  return Masked(argument, 0xffffffffU, value);
}

}  // namespace caisson::lockdown

#endif  // CAISSON_LOCKDOWN_FILTER_BUILDER_H_
