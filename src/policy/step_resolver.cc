#include "policy/step_resolver.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "policy/layout_check.h"
#include "policy/limit_hints.h"
#include "policy/nearest.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {
namespace {

constexpr size_t kMostWords = 64;
constexpr size_t kMostVariables = 128;
constexpr size_t kMostTextBytes = 4096;
constexpr size_t kMostOutputs = 64;
constexpr std::string_view kMain = "{main}";
constexpr std::string_view kMainClass = "{main_class}";
constexpr std::string_view kSources = "{sources}";

// Only a whole word is replaced; within a longer one the program would get the placeholder itself.
void CheckPlaceholders(StepKind kind, const Located<std::vector<std::string>>& command,
                       std::vector<std::string>& complaints) {
  for (const std::string& word : command.value) {
    for (const std::string_view placeholder : {kMain, kMainClass, kSources}) {
      if (word != placeholder && word.find(placeholder) != std::string::npos) {
        command.at.Complain(complaints,
                            "'" + word + "': " + std::string(placeholder) + " must be a word of its own");
      }
    }
    if (word == kSources && kind != StepKind::kCompile) {
      command.at.Complain(complaints, "{sources} is for a compile step's command only");
    }
  }
}

void ResolveCommand(StepKind kind, const StepSource& source, const Position& at, StepSection& step,
                    std::vector<std::string>& complaints) {
  if (!source.command || source.command->value.empty()) {
    complaints.push_back(Complaint(at.file, at.line, at.key + ".command", "is missing"));
    return;
  }
  const Position& written = source.command->at;
  step.command = source.command->value;
  const std::string& program = step.command.front();
  if (program != kMain && !IsPlainAbsolutePath(program)) {
    written.Complain(complaints, "the program must be an absolute path or {main}: nothing searches PATH");
  }
  if (program == kMain && !step.box_executable) {
    written.Complain(complaints, "the program is {main}, but box_executable is not true");
  }
  const bool too_long = std::any_of(step.command.begin(), step.command.end(),
                                    [](const std::string& word) { return word.size() > kMostTextBytes; });
  if (step.command.size() > kMostWords || too_long) {
    written.Complain(complaints, "at most " + std::to_string(kMostWords) + " words of " +
                                     std::to_string(kMostTextBytes) + " bytes");
  }
  CheckPlaceholders(kind, *source.command, complaints);
}

void ResolveOutputs(StepKind kind, const StepSource& source, const Position& at, StepSection& step,
                    std::vector<std::string>& complaints) {
  if (kind == StepKind::kRun) {
    if (source.outputs) {
      source.outputs->at.Complain(complaints,
                                  "only steps.compile has outputs; of a run, the request names them");
    }
    return;
  }
  if (!source.outputs || source.outputs->value.empty()) {
    complaints.push_back(Complaint(at.file, at.line, at.key + ".outputs",
                                   "is missing: the run step would get nothing of what was compiled"));
    return;
  }
  step.outputs = source.outputs->value;
  for (const std::string& path : step.outputs) {
    if (path != "." && !IsPlainAbsolutePath("/" + path)) {
      source.outputs->at.Complain(complaints,
                                  "'" + path + "' must be a path below /box, relative to it, or '.'");
    }
  }
  if (step.outputs.size() > kMostOutputs) {
    source.outputs->at.Complain(complaints, "at most " + std::to_string(kMostOutputs) + " paths");
  }
}

void ResolveEnvironment(const StepSource& source, StepSection& step, std::vector<std::string>& complaints) {
  for (const auto& [name, variable] : source.environment) {
    if (!IsVariableName(name)) {
      variable.at.Complain(complaints,
                           "the name must be of letters, digits and '_', and not begin with a digit");
    }
    if (variable.value.value.size() > kMostTextBytes) {
      variable.at.Complain(complaints, "must be at most " + std::to_string(kMostTextBytes) + " bytes");
    }
    step.environment[name] = variable.value.value;
    if (!variable.value.why.empty()) {
      step.environment_whys[name] = variable.value.why;
    }
  }
  if (source.environment.size() > kMostVariables) {
    source.environment.begin()->second.at.Complain(
        complaints, "more than " + std::to_string(kMostVariables) + " variables");
  }
}

void ResolveLimitRange(const StepSource& source, const LimitRange& standard, StepSection& step,
                       std::vector<std::string>& complaints) {
  step.limits = standard;
  for (const auto& [id, limit] : source.limits) {
    if (limit.default_value) {
      step.limits.defaults.Set(id, limit.default_value->value);
    }
    if (limit.ceiling) {
      step.limits.ceilings.Set(id, limit.ceiling->value);
    }
    const uint64_t default_value = step.limits.defaults.Get(id);
    const uint64_t ceiling = step.limits.ceilings.Get(id);
    if (default_value <= ceiling) {
      continue;
    }
    const Position& at = limit.default_value ? limit.default_value->at : limit.ceiling->at;
    at.Complain(complaints, "the default " + std::to_string(default_value) + " is above the ceiling " +
                                std::to_string(ceiling));
  }
}

// The groups' rules in the order the groups are named, then the step's own.
std::vector<Located<SyscallRule>> ExpandGroups(const StepSource& source, const SyscallGroups& groups,
                                               std::vector<std::string>& complaints) {
  std::vector<Located<SyscallRule>> rules;
  std::set<std::string> taken;
  for (const Located<std::string>& name : source.groups) {
    const auto group = groups.find(name.value);
    if (group == groups.end()) {
      std::vector<std::string> known;
      for (const auto& [known_name, value] : groups) {
        known.push_back(known_name);
      }
      name.at.Complain(complaints, "no group '" + name.value + "' in " + kSyscallGroupsFile +
                                       DidYouMean(known, name.value));
      continue;
    }
    if (taken.insert(name.value).second) {
      rules.insert(rules.end(), group->second.rules.begin(), group->second.rules.end());
    }
  }
  rules.insert(rules.end(), source.rules.begin(), source.rules.end());
  return rules;
}

void ResolveFilter(const StepSource& source, const SyscallGroups& groups, StepSection& step,
                   std::vector<std::string>& complaints) {
  const std::vector<Located<SyscallRule>> rules = ExpandGroups(source, groups, complaints);
  if (rules.size() > kMostSyscallRules) {
    rules.back().at.Complain(complaints, "more than " + std::to_string(kMostSyscallRules) + " rules in all");
    return;
  }
  for (const Located<SyscallRule>& rule : rules) {
    step.filter.rules.push_back(rule.value);
  }
  for (const RuleProblem& problem : FindRuleProblems(step.filter)) {
    std::string reason = problem.reason;
    if (problem.other) {
      reason += " (" + rules[*problem.other].at.Where() + ")";
    }
    rules[problem.rule].at.Complain(complaints, reason);
  }
}

}  // namespace

bool IsVariableName(const std::string& name) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  return !name.empty() && name.size() <= 256 && name.find_first_not_of(kLetters) == std::string::npos &&
         (name[0] < '0' || name[0] > '9');
}

StepSection ResolveStep(StepKind kind, const StepSource& source, const Position& at,
                        const SyscallGroups& groups, std::vector<std::string>& complaints) {
  StepSection step;
  step.box_executable = source.box_executable && source.box_executable->value;
  step.network = source.network ? source.network->value : NetworkMode::kNone;
  ResolveCommand(kind, source, at, step, complaints);
  ResolveOutputs(kind, source, at, step, complaints);
  ResolveEnvironment(source, step, complaints);
  step.limit_hints = ResolveLimitHints(source, step, complaints);
  ResolveLimitRange(source, kind == StepKind::kCompile ? StandardCompileLimits() : StandardRunLimits(), step,
                    complaints);
  ResolveFilter(source, groups, step, complaints);
  CheckLayout(source, complaints);
  for (const Located<BindMount>& mount : source.mounts) {
    step.binds.push_back(mount.value);
  }
  for (const Located<Symlink>& symlink : source.symlinks) {
    step.symlinks.push_back(symlink.value);
  }
  for (const Located<TextFile>& file : source.files) {
    step.files.push_back(file.value);
  }
  return step;
}

}  // namespace caisson::policy
