// Runs a classic BPF seccomp program in user space, for tests and tools: what would the kernel answer? Pure.
#ifndef CAISSON_POLICY_BPF_EVALUATOR_H_
#define CAISSON_POLICY_BPF_EVALUATOR_H_

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"

namespace caisson::policy {

// The program's return value (SECCOMP_RET_*). kInvalidArgument for what the kernel would refuse to load: an
// instruction that seccomp(2) does not know, a jump or a load out of range, no return at the end.
absl::StatusOr<uint32_t> EvaluateFilter(std::span<const sock_filter> program, const seccomp_data& data);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_BPF_EVALUATOR_H_
