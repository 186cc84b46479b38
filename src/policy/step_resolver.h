// Checks one step, all its inheritance merged, and turns it into the value that the rest of Caisson uses.
// Pure.
#ifndef CAISSON_POLICY_STEP_RESOLVER_H_
#define CAISSON_POLICY_STEP_RESOLVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "policy/profile.h"
#include "policy/profile_source.h"
#include "policy/syscall_groups.h"

namespace caisson::policy {

enum class StepKind : uint8_t { kCompile, kRun };

// `at` is the place for complaints about what is missing altogether. After a complaint the result is not to
// be used.
StepSection ResolveStep(StepKind kind, const StepSource& step, const Position& at,
                        const SyscallGroups& groups, std::vector<std::string>& complaints);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_STEP_RESOLVER_H_
