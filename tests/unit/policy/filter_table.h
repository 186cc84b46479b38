// A compiled filter as text, one line a system call, for people who compare two of them.
#ifndef CAISSON_TESTS_UNIT_POLICY_FILTER_TABLE_H_
#define CAISSON_TESTS_UNIT_POLICY_FILTER_TABLE_H_

#include <string>

#include "policy/filter_compiler.h"
#include "policy/profile.h"

namespace caisson::policy {

// Numbers 0 to 600 and three architectures, each answer asked of the compiled program. Where the profile
// looks at arguments, a call that fits each of its rules, and one that fits none.
std::string FilterTable(const std::string& title, const SyscallFilter& filter,
                        const CompiledFilter& compiled);

}  // namespace caisson::policy

#endif  // CAISSON_TESTS_UNIT_POLICY_FILTER_TABLE_H_
