// What a filter's rules say, read plainly and written here a second time on purpose: the compiled program is
// compared with it.
#ifndef CAISSON_TESTS_UNIT_POLICY_PLAIN_FILTER_H_
#define CAISSON_TESTS_UNIT_POLICY_PLAIN_FILTER_H_

#include <linux/seccomp.h>

#include <cerrno>
#include <map>
#include <set>
#include <vector>

#include "policy/filter_compiler.h"
#include "policy/profile.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {

using RulesByNumber = std::map<int, std::vector<const SyscallRule*>>;

inline RulesByNumber ByNumber(const SyscallFilter& filter) {
  RulesByNumber rules;
  for (const SyscallRule& rule : filter.rules) {
    rules[SyscallNumber(rule.syscall).value_or(-1)].push_back(&rule);
  }
  return rules;
}

inline bool Holds(const SyscallRule& rule, const SyscallArguments& arguments) {
  for (const ArgumentCondition& condition : rule.conditions) {
    const auto low = static_cast<uint32_t>(arguments.at(condition.index) & 0xffffffffU);
    if ((low & condition.mask) != condition.value) {
      return false;
    }
  }
  return true;
}

inline uint32_t Expected(const RulesByNumber& rules, int number, const SyscallArguments& arguments) {
  static const int newest = NewestKnownSyscall();
  if (number > newest) {
    return SECCOMP_RET_ERRNO | static_cast<uint32_t>(ENOSYS);
  }
  const auto found = rules.find(number);
  if (found != rules.end()) {
    for (const SyscallRule* rule : found->second) {
      if (!Holds(*rule, arguments)) {
        continue;
      }
      if (rule->action == SyscallAction::kAllow) {
        return SECCOMP_RET_ALLOW;
      }
      if (rule->action == SyscallAction::kErrno) {
        return SECCOMP_RET_ERRNO | static_cast<uint32_t>(rule->errno_value);
      }
      if (rule->action == SyscallAction::kSucceed) {
        return SECCOMP_RET_ERRNO;
      }
    }
  }
  return SECCOMP_RET_USER_NOTIF;
}

// Every value that a rule names, its neighbours, and each single bit, in the argument the rule looks at.
inline std::vector<SyscallArguments> Samples(const std::vector<const SyscallRule*>& rules) {
  std::vector<SyscallArguments> samples = {
      {}, {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL}, {1, 1, 1, 1, 1, 1}};
  for (const SyscallRule* rule : rules) {
    SyscallArguments matching{};
    for (const ArgumentCondition& condition : rule->conditions) {
      matching.at(condition.index) = condition.value;
    }
    samples.push_back(matching);
    for (const ArgumentCondition& condition : rule->conditions) {
      std::set<uint32_t> values = {condition.value, condition.value + 1, condition.value - 1,
                                   ~condition.value};
      for (uint32_t bit = 0; bit < 32; ++bit) {
        values.insert(condition.value ^ (1U << bit));
        values.insert(1U << bit);
      }
      for (const uint32_t value : values) {
        for (const uint64_t high : {uint64_t{0}, uint64_t{1}, uint64_t{0xffffffff}}) {
          SyscallArguments varied = matching;
          varied.at(condition.index) = high << 32U | value;
          samples.push_back(varied);
        }
      }
    }
  }
  return samples;
}

}  // namespace caisson::policy

#endif  // CAISSON_TESTS_UNIT_POLICY_PLAIN_FILTER_H_
