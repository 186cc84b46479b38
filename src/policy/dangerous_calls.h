// Tables of the linter: what every profile must allow, and what none should.
#ifndef CAISSON_POLICY_DANGEROUS_CALLS_H_
#define CAISSON_POLICY_DANGEROUS_CALLS_H_

#include <span>
#include <string_view>

#include "policy/syscall_rules.h"

namespace caisson::policy {

// An argument that is fixed.
struct FixedArgument {
  int index = -1;  // -1: none is fixed
  uint32_t value = 0;
};

struct NamedCall {
  std::string_view syscall;
  FixedArgument fixed;
  std::string_view why;
  FixedArgument other{};  // a second one; all the rest may be anything
};

// Made by the stub under the payload's own filter, after seccomp(2) and before execve(2).
std::span<const NamedCall> StubCalls();

// Allowed by no profile without a very good reason.
std::span<const NamedCall> DangerousCalls();

// Host paths that a sandbox must not see, themselves or what is below.
std::span<const std::string_view> SensitivePaths();

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_DANGEROUS_CALLS_H_
