// What the rules of a syscall filter mean, read plainly: which contradict each other, and what a given call
// gets. The compiler, the linter and the loader all use this one reading.
#ifndef CAISSON_POLICY_SYSCALL_RULES_H_
#define CAISSON_POLICY_SYSCALL_RULES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/profile.h"

namespace caisson::policy {

inline constexpr size_t kSyscallArguments = 6;
using SyscallArguments = std::array<uint64_t, kSyscallArguments>;

// Of one step, groups expanded: far above any use, and few enough to compare with each other.
inline constexpr size_t kMostSyscallRules = 4096;

// F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW: what the action count is for.
inline constexpr std::array<uint32_t, 4> kRecordLockCommands = {6, 7, 37, 38};

struct RuleProblem {
  size_t rule = 0;              // index in SyscallFilter::rules
  std::optional<size_t> other;  // the rule it contradicts
  std::string reason;
};

// Everything that makes a filter ambiguous or impossible to compile:
// - a name that x86-64 does not have; an argument index above 5 or twice in one rule; a value outside its
// mask;
// - count for anything but single commands of fcntl that take a record lock;
// - deny or kill with conditions: init answers by number only, so these always mean "whatever no other rule
// names";
// - an errno that is missing, or too large for the answer table;
// - for one syscall: an unconditional allow or errno beside any other rule, or two rules that can both match
// a call
//   and say different things. Identical rules are no problem: groups may overlap.
std::vector<RuleProblem> FindRuleProblems(const SyscallFilter& filter);

// What becomes of one call.
struct Decision {
  SyscallAction action = SyscallAction::kDeny;
  int errno_value = 0;
  const SyscallRule* rule = nullptr;  // nullptr: no rule names it, so the default (denied, reported, EPERM)
};
Decision Decide(const SyscallFilter& filter, std::string_view syscall, const SyscallArguments& arguments);

// The number on x86-64, or nothing if there is none.
std::optional<int> SyscallNumber(const std::string& name);

// "allow", "errno", "succeed", "count", "deny", "kill", "observe".
const char* ActionName(SyscallAction action);

// "arg0 == 1 and arg1 & 0xff == 2"; "" without conditions.
std::string ConditionsInWords(const SyscallRule& rule);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_SYSCALL_RULES_H_
