#include "policy/syscall_rules.h"

#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <ios>
#include <map>
#include <sstream>

namespace caisson::policy {
namespace {

constexpr int kLargestAnswer = 254;  // 255 in the answer table means kill

bool Matches(const SyscallRule& rule, const SyscallArguments& arguments) {
  return std::all_of(rule.conditions.begin(), rule.conditions.end(), [&](const ArgumentCondition& condition) {
    return condition.index < kSyscallArguments &&
           (static_cast<uint32_t>(arguments[condition.index]) & condition.mask) == condition.value;
  });
}

bool SameConditions(const SyscallRule& left, const SyscallRule& right) {
  return std::is_permutation(left.conditions.begin(), left.conditions.end(), right.conditions.begin(),
                             right.conditions.end(),
                             [](const ArgumentCondition& a, const ArgumentCondition& b) {
                               return a.index == b.index && a.mask == b.mask && a.value == b.value;
                             });
}

bool SameOutcome(const SyscallRule& left, const SyscallRule& right) {
  return left.action == right.action && left.errno_value == right.errno_value;
}

// Is there a call that both rules match? No, if some argument would need two values in the bits both look at.
bool CanBothMatch(const SyscallRule& left, const SyscallRule& right) {
  for (const ArgumentCondition& a : left.conditions) {
    for (const ArgumentCondition& b : right.conditions) {
      const uint32_t common = a.mask & b.mask;
      if (a.index == b.index && (a.value & common) != (b.value & common)) {
        return false;
      }
    }
  }
  return true;
}

bool IsForTheRest(const SyscallRule& rule) {
  return rule.conditions.empty() &&
         (rule.action == SyscallAction::kDeny || rule.action == SyscallAction::kKill);
}

// init counts by one command of fcntl, and knows those that take a record lock only.
bool IsOneRecordLock(const SyscallRule& rule) {
  return rule.syscall == "fcntl" && rule.conditions.size() == 1 && rule.conditions[0].index == 1 &&
         rule.conditions[0].mask == 0xffffffffU &&
         std::find(kRecordLockCommands.begin(), kRecordLockCommands.end(), rule.conditions[0].value) !=
             kRecordLockCommands.end();
}

std::string ProblemOfRule(const SyscallRule& rule) {
  if (!SyscallNumber(rule.syscall)) {
    return "x86-64 has no syscall '" + rule.syscall + "'";
  }
  uint32_t seen = 0;
  for (const ArgumentCondition& condition : rule.conditions) {
    if (condition.index >= kSyscallArguments) {
      return "arguments are numbered 0 to 5";
    }
    if ((seen & (1U << condition.index)) != 0) {
      return "argument " + std::to_string(condition.index) + " has two conditions in one rule";
    }
    seen |= 1U << condition.index;
    if ((condition.value & ~condition.mask) != 0) {
      return "argument " + std::to_string(condition.index) + " can never have this value under this mask";
    }
    if (condition.mask == 0) {
      return "argument " + std::to_string(condition.index) + " has an empty mask";
    }
  }
  const bool reported = rule.action == SyscallAction::kDeny || rule.action == SyscallAction::kKill;
  if (reported && !rule.conditions.empty()) {
    return std::string(ActionName(rule.action)) +
           " takes no argument conditions: it is for every call that no other "
           "rule of " +
           rule.syscall + " names";
  }
  if (rule.action == SyscallAction::kCount && !IsOneRecordLock(rule)) {
    return "count is for commands of fcntl that take a record lock: arg1 one of 6, 7, 37, 38";
  }
  if (rule.action == SyscallAction::kErrno && rule.errno_value <= 0) {
    return "the action errno needs an errno";
  }
  if (rule.errno_value < 0 || rule.errno_value > kLargestAnswer) {
    return "errno " + std::to_string(rule.errno_value) + " is out of range";
  }
  return {};
}

std::string ProblemOfPair(const SyscallRule& left, const SyscallRule& right) {
  const bool same_conditions = SameConditions(left, right);
  if (same_conditions && SameOutcome(left, right)) {
    return {};
  }
  if (same_conditions) {
    return "contradicts another rule of " + left.syscall + " with the same conditions";
  }
  if (IsForTheRest(left) || IsForTheRest(right)) {
    return {};
  }
  if (left.conditions.empty() || right.conditions.empty()) {
    return "a rule without conditions decides every call of " + left.syscall + ", so conditions mean nothing";
  }
  if (!SameOutcome(left, right) && CanBothMatch(left, right)) {
    return "another rule of " + left.syscall + " matches some of the same calls with another outcome";
  }
  return {};
}

}  // namespace

std::vector<RuleProblem> FindRuleProblems(const SyscallFilter& filter) {
  std::vector<RuleProblem> problems;
  std::map<std::string_view, std::vector<size_t>> by_name;
  for (size_t index = 0; index < filter.rules.size(); ++index) {
    const SyscallRule& rule = filter.rules[index];
    if (std::string reason = ProblemOfRule(rule); !reason.empty()) {
      problems.push_back({index, std::nullopt, std::move(reason)});
      continue;
    }
    std::vector<size_t>& earlier = by_name[rule.syscall];
    for (const size_t other : earlier) {
      if (std::string reason = ProblemOfPair(filter.rules[other], rule); !reason.empty()) {
        problems.push_back({index, other, std::move(reason)});
        break;
      }
    }
    earlier.push_back(index);
  }
  return problems;
}

Decision Decide(const SyscallFilter& filter, std::string_view syscall, const SyscallArguments& arguments) {
  const SyscallRule* rest = nullptr;
  for (const SyscallRule& rule : filter.rules) {
    if (rule.syscall != syscall) {
      continue;
    }
    if (IsForTheRest(rule)) {
      rest = &rule;
    } else if (Matches(rule, arguments)) {
      return {rule.action, rule.errno_value, &rule};
    }
  }
  if (rest == nullptr) {
    return {SyscallAction::kDeny, EPERM, nullptr};
  }
  return {rest->action, rest->errno_value == 0 ? EPERM : rest->errno_value, rest};
}

std::optional<int> SyscallNumber(const std::string& name) {
  // Negative results are libseccomp's pseudo numbers, for calls that only other architectures have.
  const int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name.c_str());
  return number < 0 ? std::nullopt : std::optional(number);
}

const char* ActionName(SyscallAction action) {
  switch (action) {
    case SyscallAction::kAllow:
      return "allow";
    case SyscallAction::kErrno:
      return "errno";
    case SyscallAction::kSucceed:
      return "succeed";
    case SyscallAction::kCount:
      return "count";
    case SyscallAction::kDeny:
      return "deny";
    case SyscallAction::kKill:
      return "kill";
    case SyscallAction::kObserve:
      return "observe";
  }
  return "unknown";
}

std::string ConditionsInWords(const SyscallRule& rule) {
  std::ostringstream words;
  words << std::hex << std::showbase;
  const char* separator = "";
  for (const ArgumentCondition& condition : rule.conditions) {
    words << separator << "arg" << std::to_string(condition.index);
    if (condition.mask != 0xffffffffU) {
      words << " & " << condition.mask;
    }
    words << " == " << condition.value;
    separator = " and ";
  }
  return words.str();
}

}  // namespace caisson::policy
