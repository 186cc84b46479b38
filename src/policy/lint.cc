#include "policy/lint.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>

#include "common/status.h"
#include "policy/dangerous_calls.h"
#include "policy/image_file.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {
namespace {

constexpr uint32_t kMostFamilies = 64;
constexpr uint32_t kMostTypes = 16;  // the kernel's SOCK_TYPE_MASK and one

// The condition that a fixed argument has to meet, if it is one.
const FixedArgument* Fixed(const NamedCall& call, uint32_t index) {
  for (const FixedArgument* fixed : {&call.fixed, &call.other}) {
    if (fixed->index == static_cast<int>(index)) {
      return fixed;
    }
  }
  return nullptr;
}

// Is the call allowed whatever its other arguments are?
bool AlwaysAllows(const SyscallFilter& filter, const NamedCall& call) {
  return std::any_of(filter.rules.begin(), filter.rules.end(), [&](const SyscallRule& rule) {
    return rule.syscall == call.syscall && rule.action == SyscallAction::kAllow &&
           std::all_of(rule.conditions.begin(), rule.conditions.end(),
                       [&](const ArgumentCondition& condition) {
                         const FixedArgument* fixed = Fixed(call, condition.index);
                         return fixed != nullptr && (fixed->value & condition.mask) == condition.value;
                       });
  });
}

// Is there any way to be allowed, the fixed arguments being what they are?
bool CanAllow(const SyscallFilter& filter, const NamedCall& call) {
  return std::any_of(filter.rules.begin(), filter.rules.end(), [&](const SyscallRule& rule) {
    return rule.syscall == call.syscall && rule.action == SyscallAction::kAllow &&
           std::all_of(rule.conditions.begin(), rule.conditions.end(),
                       [&](const ArgumentCondition& condition) {
                         const FixedArgument* fixed = Fixed(call, condition.index);
                         return fixed == nullptr || (fixed->value & condition.mask) == condition.value;
                       });
  });
}

// "fcntl(arg1 = 0x2)", for messages.
std::string CallInWords(const NamedCall& call) {
  std::string words(call.syscall);
  if (call.fixed.index >= 0) {
    SyscallRule rule;
    rule.conditions = {{static_cast<uint32_t>(call.fixed.index), 0xffffffffU, call.fixed.value}};
    words += " with " + ConditionsInWords(rule);
  }
  return words;
}

// Raw and packet sockets see and forge what others send. A rule that looks at the family alone allows them.
void CheckInternetTypes(const StepSection& step, std::vector<std::string>& reasons) {
  for (const uint32_t family : {uint32_t{AF_INET}, uint32_t{AF_INET6}}) {
    for (uint32_t type = 0; type < kMostTypes; ++type) {
      if (type != SOCK_STREAM && type != SOCK_DGRAM &&
          CanAllow(step.filter, {"socket", {0, family}, "", {1, type}})) {
        reasons.push_back("socket allows the type " + std::to_string(type) + " of the family " +
                          std::to_string(family));
      }
    }
  }
}

void CheckSockets(const StepSection& step, std::vector<std::string>& reasons) {
  for (const char* name : {"socket", "socketpair"}) {
    const bool open =
        std::any_of(step.filter.rules.begin(), step.filter.rules.end(), [&](const SyscallRule& rule) {
          return rule.syscall == name && rule.action == SyscallAction::kAllow &&
                 std::none_of(rule.conditions.begin(), rule.conditions.end(),
                              [](const ArgumentCondition& condition) { return condition.index == 0; });
        });
    if (open) {
      reasons.push_back(std::string(name) + " is allowed without a rule on its family");
      continue;
    }
    for (uint32_t family = 0; family < kMostFamilies; ++family) {
      const bool expected = family == AF_UNIX || (step.network == NetworkMode::kLoopback &&
                                                  (family == AF_INET || family == AF_INET6));
      const NamedCall call{name, {0, family}, ""};
      if (!expected && CanAllow(step.filter, call)) {
        reasons.push_back(std::string(name) + " allows the family " + std::to_string(family));
      }
    }
  }
  CheckInternetTypes(step, reasons);
}

void CheckRules(const StepSection& step, std::vector<std::string>& reasons) {
  std::set<std::string> seen;
  for (const SyscallRule& rule : step.filter.rules) {
    const std::string conditions = ConditionsInWords(rule);
    const std::string words = std::string(ActionName(rule.action)) + " " + rule.syscall +
                              (conditions.empty() ? "" : " when " + conditions);
    if (rule.why.empty()) {
      reasons.push_back("'" + words + "' has no why");
    }
    if (!seen.insert(words).second) {
      reasons.push_back("'" + words + "' stands twice");
    }
  }
  for (const NamedCall& call : DangerousCalls()) {
    if (CanAllow(step.filter, call)) {
      reasons.push_back("allows " + CallInWords(call) + ": " + std::string(call.why));
    }
  }
  CheckSockets(step, reasons);
}

// Of the host: who else could write what is bound there, and does it say too much?
void CheckHostBind(const BindMount& bind, std::vector<std::string>& reasons) {
  for (const std::string_view sensitive : SensitivePaths()) {
    if (bind.source == sensitive || bind.source.starts_with(std::string(sensitive) + "/")) {
      reasons.push_back("binds " + bind.source + ", which says too much about the host");
    }
  }
  if (bind.source == "/" || bind.source == "/etc") {
    reasons.push_back("binds " + bind.source + " whole");
  }
  struct stat info {};
  if (stat(bind.source.c_str(), &info) != 0) {
    if (!bind.optional || errno != ENOENT) {
      reasons.push_back("binds " + bind.source + ": " + std::generic_category().message(errno));
    }
    return;
  }
  if (info.st_uid != 0 || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    reasons.push_back("binds " + bind.source + ", which others than root can write");
  }
}

void CheckLimits(const StepSection& step, std::vector<std::string>& reasons) {
  for (size_t index = 0; index < kLimitCount; ++index) {
    const auto id = static_cast<LimitId>(index);
    const uint64_t default_value = step.limits.defaults.Get(id);
    const std::string name(LimitName(id));
    if (default_value == 0) {
      reasons.push_back("the default of " + name + " is 0");
    }
    if (default_value > step.limits.ceilings.Get(id)) {
      reasons.push_back("the default of " + name + " is above its ceiling");
    }
  }
}

// What only a run with a terminal may do.
void AddTerminalAdvice(const StepSection& step, std::vector<LintFinding>& findings) {
  for (const NamedCall& call : DangerousCalls()) {
    if (CanAllow(step.terminal_filter, call) && !CanAllow(step.filter, call)) {
      findings.push_back(
          {"run", "with a terminal allows " + CallInWords(call) + ": " + std::string(call.why)});
    }
  }
}

void AddFaults(const StepSection& step, const std::string& name, std::vector<LintFinding>& findings) {
  for (const RuleProblem& problem : FindRuleProblems(step.filter)) {
    findings.push_back({name, step.filter.rules[problem.rule].syscall + ": " + problem.reason});
  }
  for (const NamedCall& call : StubCalls()) {
    if (!AlwaysAllows(step.filter, call)) {
      findings.push_back({name, "does not allow " + CallInWords(call) +
                                    ", which the stub needs before the program starts: it " +
                                    std::string(call.why)});
    }
  }
}

void AddAdvice(const StepSection& step, const std::string& name, bool of_image,
               std::vector<LintFinding>& findings) {
  std::vector<std::string> reasons;
  CheckRules(step, reasons);
  for (const BindMount& bind : step.binds) {
    if (bind.why.empty()) {
      reasons.push_back("the bind of " + bind.source + " has no why");
    }
    if (!of_image) {
      CheckHostBind(bind, reasons);
    }
  }
  CheckLimits(step, reasons);
  for (std::string& reason : reasons) {
    findings.push_back({name, std::move(reason)});
  }
}

}  // namespace

bool IsUnwise(const SyscallRule& rule, NetworkMode network) {
  StepSection step;
  step.network = network;
  step.filter.rules = {rule};
  std::vector<std::string> reasons;
  CheckRules(step, reasons);
  return !reasons.empty();
}

std::vector<SyscallRule> MissingForTheStub(const SyscallFilter& filter) {
  std::vector<SyscallRule> missing;
  for (const NamedCall& call : StubCalls()) {
    if (AlwaysAllows(filter, call)) {
      continue;
    }
    SyscallRule rule;
    rule.syscall = call.syscall;
    if (call.fixed.index >= 0) {
      rule.conditions = {{static_cast<uint32_t>(call.fixed.index), 0xffffffffU, call.fixed.value}};
    }
    rule.why = "before the program starts the stub " + std::string(call.why);
    missing.push_back(std::move(rule));
  }
  return missing;
}

std::vector<LintFinding> FindFilterFaults(const Profile& profile) {
  std::vector<LintFinding> findings;
  if (profile.compile) {
    AddFaults(*profile.compile, "compile", findings);
  }
  AddFaults(profile.run, "run", findings);
  return findings;
}

std::vector<std::string> LintProfile(const Profile& profile) {
  std::vector<LintFinding> findings = FindFilterFaults(profile);
  if (profile.compile) {
    AddAdvice(*profile.compile, "compile", profile.image.has_value(), findings);
  }
  AddAdvice(profile.run, "run", profile.image.has_value(), findings);
  AddTerminalAdvice(profile.run, findings);
  std::vector<std::string> lines;
  lines.reserve(findings.size() + 1);
  if (profile.image) {
    // As caissond will see it: whose it is, who can write it, what it holds.
    const absl::StatusOr<OpenedImage> opened = OpenImage(*profile.image, FileTrust::kRequireRootOwned);
    if (!opened.ok()) {
      lines.push_back(profile.name + ": " + Message(opened.status()));
    }
  }
  for (const LintFinding& finding : findings) {
    lines.push_back(profile.name + ": " + finding.step + ": " + finding.reason);
  }
  return lines;
}

}  // namespace caisson::policy
