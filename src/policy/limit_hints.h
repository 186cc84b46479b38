// Limit hints: what a program must be told about its limits, since it cannot see them. Pure.
#ifndef CAISSON_POLICY_LIMIT_HINTS_H_
#define CAISSON_POLICY_LIMIT_HINTS_H_

#include <string>
#include <vector>

#include "policy/profile.h"
#include "policy/profile_source.h"

namespace caisson::policy {

inline constexpr size_t kMostLimitHints = 8;
inline constexpr size_t kMostLimitHintBytes = 200;

// The hints of a step as values. Complains about texts without exactly one placeholder, too long ones and too
// many; a variable that is no name, or that `environment` or another hint sets as well; and an argument where
// the command's first word is no runtime that could take it.
std::vector<LimitHint> ResolveLimitHints(const StepSource& source, const StepSection& step,
                                         std::vector<std::string>& complaints);

// "-Xmx{memory_mib}m": as the profile has it.
std::string HintText(const LimitHint& hint);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_LIMIT_HINTS_H_
