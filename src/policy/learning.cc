#include "policy/learning.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "policy/dangerous_calls.h"
#include "policy/lint.h"

namespace caisson::policy {
namespace {

bool LetsThrough(const SyscallRule& rule) {
  return rule.action == SyscallAction::kAllow || rule.action == SyscallAction::kCount ||
         rule.action == SyscallAction::kObserve;
}

bool IsForTheStub(const SyscallRule& rule) {
  return std::any_of(StubCalls().begin(), StubCalls().end(), [&](const NamedCall& call) {
    return call.fixed.index < 0 && call.syscall == rule.syscall;
  });
}

// Locks that were free and sleeps that nobody interrupted while the program was watched may be otherwise the
// next time: whoever has a thread, a timer or a child needs these.
bool DependsOnTiming(const SyscallRule& rule) {
  constexpr std::array<std::string_view, 4> kCalls = {"futex", "restart_syscall", "rt_sigreturn",
                                                      "sched_yield"};
  return std::find(kCalls.begin(), kCalls.end(), rule.syscall) != kCalls.end();
}

bool IsKilledFor(const SyscallFilter& filter, const std::string& syscall) {
  return std::any_of(filter.rules.begin(), filter.rules.end(), [&](const SyscallRule& rule) {
    return rule.action == SyscallAction::kKill && rule.syscall == syscall;
  });
}

class Ceiling {
 public:
  explicit Ceiling(NetworkMode network) : network_(network) {}

  void AddAnswer(const SyscallRule& rule) { filter_.rules.push_back(rule); }

  // Leaves out what lint objects to, what is there already, and what would not agree with an earlier rule.
  void AddPermission(const SyscallRule& rule) {
    if (IsUnwise(rule, network_) || IsKilledFor(filter_, rule.syscall)) {
      return;
    }
    SyscallRule observed = rule;
    if (rule.action == SyscallAction::kAllow && !IsForTheStub(rule)) {
      observed.action = SyscallAction::kObserve;
    }
    SyscallFilter same_call;
    for (const SyscallRule& earlier : filter_.rules) {
      if (earlier.syscall != rule.syscall) {
        continue;
      }
      if (earlier.action == observed.action && ConditionsInWords(earlier) == ConditionsInWords(observed)) {
        return;
      }
      same_call.rules.push_back(earlier);
    }
    same_call.rules.push_back(observed);
    if (FindRuleProblems(same_call).empty()) {
      filter_.rules.push_back(std::move(observed));
    }
  }

  SyscallFilter Take() { return std::move(filter_); }

 private:
  NetworkMode network_;
  SyscallFilter filter_;
};

// By program, in the order in which they were observed first.
struct Counts {
  std::vector<std::pair<std::string, uint64_t>> by_program;

  void Add(const Observation& observation) {
    const auto known = std::find_if(by_program.begin(), by_program.end(),
                                    [&](const auto& entry) { return entry.first == observation.program; });
    if (known == by_program.end()) {
      by_program.emplace_back(observation.program, observation.count);
    } else if (__builtin_add_overflow(known->second, observation.count, &known->second)) {
      known->second = UINT64_MAX;
    }
  }

  std::string InWords() const {
    std::string words;
    for (const auto& [program, count] : by_program) {
      words.append(words.empty() ? "observed " : ", ").append(std::to_string(count));
      words.append(count == 1 ? " time in " : " times in ").append(program);
    }
    return words;
  }
};

std::string CallInWords(const Observation& observation) {
  std::string words = observation.syscall + "(";
  for (const uint64_t argument : observation.arguments) {
    words.append(words.ends_with("(") ? "" : ", ").append(std::to_string(argument));
  }
  return words + ")";
}

}  // namespace

SyscallFilter LearningFilter(const SyscallFilter& own, NetworkMode network, const SyscallGroups& groups) {
  Ceiling ceiling(network);
  // ORDER: answers first, since permissions have to agree with them; then the profile's own, which are the
  // narrower.
  for (const SyscallRule& rule : own.rules) {
    if (!LetsThrough(rule)) {
      ceiling.AddAnswer(rule);
    }
  }
  for (const SyscallRule& rule : own.rules) {
    if (LetsThrough(rule)) {
      ceiling.AddPermission(rule);
    }
  }
  for (const auto& [name, group] : groups) {
    for (const Located<SyscallRule>& rule : group.rules) {
      if (name != kTerminalGroup && LetsThrough(rule.value)) {
        ceiling.AddPermission(rule.value);
      }
    }
  }
  return ceiling.Take();
}

absl::StatusOr<SyscallFilter> LearnedFilter(const SyscallFilter& learning,
                                            const std::vector<Observation>& observations) {
  std::map<const SyscallRule*, Counts> needed;
  for (const Observation& observation : observations) {
    const Decision decision = Decide(learning, observation.syscall, observation.arguments);
    if (decision.rule == nullptr || !LetsThrough(*decision.rule)) {
      return absl::InvalidArgumentError(CallInWords(observation) + " was observed in " + observation.program +
                                        ", but is above the ceiling of this profile");
    }
    needed[decision.rule].Add(observation);
  }
  SyscallFilter learned;
  for (const SyscallRule& rule : learning.rules) {
    const auto counts = needed.find(&rule);
    const bool observed = counts != needed.end();
    if (LetsThrough(rule) && rule.action != SyscallAction::kAllow && !observed && !DependsOnTiming(rule)) {
      continue;
    }
    SyscallRule kept = rule;
    if (observed) {
      kept.why += "; " + counts->second.InWords();
    } else if (rule.action == SyscallAction::kAllow) {
      kept.why += "; every program needs it, since the stub does";
    } else if (rule.action == SyscallAction::kObserve) {
      kept.why += "; not observed, but whether it is called depends on timing";
    }
    if (rule.action == SyscallAction::kObserve) {
      kept.action = SyscallAction::kAllow;
    }
    learned.rules.push_back(std::move(kept));
  }
  for (SyscallRule& rule : MissingForTheStub(learned)) {
    learned.rules.push_back(std::move(rule));
  }
  return learned;
}

std::set<std::string> AllowedInWords(const SyscallFilter& filter) {
  std::set<std::string> lines;
  for (const SyscallRule& rule : filter.rules) {
    if (LetsThrough(rule)) {
      const std::string conditions = ConditionsInWords(rule);
      lines.insert(rule.syscall + (conditions.empty() ? "" : " when " + conditions));
    }
  }
  return lines;
}

}  // namespace caisson::policy
