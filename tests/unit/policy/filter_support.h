// What the tests of compiled filters share.
#ifndef CAISSON_TESTS_UNIT_POLICY_FILTER_SUPPORT_H_
#define CAISSON_TESTS_UNIT_POLICY_FILTER_SUPPORT_H_

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <string>

#include "common/status.h"
#include "policy/bpf_evaluator.h"
#include "policy/filter_compiler.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {

inline CompiledFilter Compiled(const SyscallFilter& filter) {
  absl::StatusOr<CompiledFilter> compiled = CompileFilter(filter);
  EXPECT_TRUE(compiled.ok()) << Message(compiled.status());
  return compiled.ok() ? *std::move(compiled) : CompiledFilter();
}

// What the kernel would return for this call.
inline uint32_t Answer(const CompiledFilter& compiled, int number, const SyscallArguments& arguments = {},
                       uint32_t arch = AUDIT_ARCH_X86_64) {
  seccomp_data data{};
  data.nr = number;
  data.arch = arch;
  for (size_t index = 0; index < arguments.size(); ++index) {
    data.args[index] = arguments[index];
  }
  const absl::StatusOr<uint32_t> answer = EvaluateFilter(compiled.program, data);
  EXPECT_TRUE(answer.ok()) << Message(answer.status());
  return answer.value_or(0);
}

inline uint32_t AnswerErrno(int error_number) {
  return SECCOMP_RET_ERRNO | static_cast<uint32_t>(error_number);
}

inline int Number(const std::string& name) { return SyscallNumber(name).value_or(-1); }

}  // namespace caisson::policy

#endif  // CAISSON_TESTS_UNIT_POLICY_FILTER_SUPPORT_H_
