#include "policy/profile_resolver.h"

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "policy/lint.h"
#include "policy/nearest.h"
#include "policy/step_resolver.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {
namespace {

constexpr size_t kMostAncestors = 8;
constexpr size_t kMostTextBytes = 16'384;

template <typename T>
void Append(std::vector<T>& into, const std::vector<T>& from) {
  into.insert(into.end(), from.begin(), from.end());
}

template <typename T>
void Replace(std::optional<T>& into, const std::optional<T>& from) {
  if (from) {
    into = from;
  }
}

// The profile and those it extends, the outermost ancestor first; empty after a complaint.
std::vector<const ProfileSource*> ChainOf(const ProfileSource& profile, const ProfileSources& sources,
                                          std::vector<std::string>& complaints) {
  std::vector<const ProfileSource*> chain = {&profile};
  while (chain.back()->extends) {
    const Located<std::string>& extends = *chain.back()->extends;
    const auto parent = sources.find(extends.value);
    if (parent == sources.end()) {
      std::vector<std::string> known;
      for (const auto& [name, source] : sources) {
        known.push_back(name);
      }
      extends.at.Complain(complaints,
                          "no profile '" + extends.value + "'" + DidYouMean(known, extends.value));
      return {};
    }
    if (std::find(chain.begin(), chain.end(), &parent->second) != chain.end()) {
      extends.at.Complain(complaints,
                          "'" + extends.value + "' extends this profile, directly or through others");
      return {};
    }
    if (chain.size() > kMostAncestors) {
      extends.at.Complain(complaints, "more than " + std::to_string(kMostAncestors) + " ancestors");
      return {};
    }
    chain.push_back(&parent->second);
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

// The name of the last but one that is no abstract profile; empty if there is none.
std::string NearestListed(const std::vector<const ProfileSource*>& chain) {
  const auto listed = std::find_if(chain.rbegin() + 1, chain.rend(),
                                   [](const ProfileSource* source) { return !source->abstract; });
  return listed == chain.rend() ? "" : (*listed)->name.value;
}

ProfileSource MergeChain(const std::vector<const ProfileSource*>& chain) {
  ProfileSource merged;
  StepSource compile;
  StepSource run;
  bool has_compile = false;
  for (const ProfileSource* source : chain) {
    merged.file = source->file;
    merged.name = source->name;
    Replace(merged.display_name, source->display_name);
    Replace(merged.description, source->description);
    Replace(merged.file_extension, source->file_extension);
    Replace(merged.default_main_file, source->default_main_file);
    Replace(merged.hello_program, source->hello_program);
    Replace(merged.toolchain_package, source->toolchain_package);
    Replace(merged.toolchain_probe, source->toolchain_probe);
    for (const auto& [name, library] : source->packages) {
      merged.packages[name] = library;
    }
    Replace(merged.interactive, source->interactive);
    Replace(merged.root, source->root);
    if (source->all) {
      compile = MergeSteps(std::move(compile), *source->all);
      run = MergeSteps(std::move(run), *source->all);
    }
    if (source->compile) {
      has_compile = true;
      compile = MergeSteps(std::move(compile), *source->compile);
    }
    if (source->run) {
      run = MergeSteps(std::move(run), *source->run);
    }
  }
  if (has_compile) {
    merged.compile = std::move(compile);
  }
  merged.run = std::move(run);
  return merged;
}

std::string Text(const std::optional<Located<std::string>>& from, std::vector<std::string>& complaints) {
  if (!from) {
    return {};
  }
  if (from->value.size() > kMostTextBytes) {
    from->at.Complain(complaints, "must be at most " + std::to_string(kMostTextBytes) + " bytes");
  }
  return from->value;
}

std::string RequiredText(const std::optional<Located<std::string>>& from, const ProfileSource& profile,
                         const char* key, std::vector<std::string>& complaints) {
  if (!from || from->value.empty()) {
    complaints.push_back(Complaint(profile.file, profile.name.at.line, key, "is missing"));
    return {};
  }
  return Text(from, complaints);
}

// Offered unless the profile says otherwise, where the groups know what a terminal takes.
void ResolveTerminal(const ProfileSource& merged, const SyscallGroups& groups, Profile& profile,
                     std::vector<std::string>& complaints) {
  const auto group = groups.find(kTerminalGroup);
  profile.interactive = merged.interactive ? merged.interactive->value : group != groups.end();
  if (!profile.interactive) {
    return;
  }
  if (group == groups.end()) {
    merged.interactive->at.Complain(
        complaints, std::string("no group '") + kTerminalGroup + "' in " + kSyscallGroupsFile);
    return;
  }
  SyscallFilter& filter = profile.run.terminal_filter;
  filter = profile.run.filter;
  if (!FindRuleProblems(filter).empty()) {
    return;  // Told already.
  }
  for (const Located<SyscallRule>& rule : group->second.rules) {
    // What a profile allows whatever the arguments are needs no more rules.
    const bool is_open = std::any_of(profile.run.filter.rules.begin(), profile.run.filter.rules.end(),
                                     [&](const SyscallRule& own) {
                                       return own.syscall == rule.value.syscall &&
                                              own.action == SyscallAction::kAllow && own.conditions.empty();
                                     });
    if (!is_open) {
      filter.rules.push_back(rule.value);
    }
  }
  for (const RuleProblem& problem : FindRuleProblems(filter)) {
    complaints.push_back(Complaint(merged.file, merged.name.at.line, "interactive",
                                   std::string("with the group ") + kTerminalGroup + ": " +
                                       filter.rules[problem.rule].syscall + ": " + problem.reason));
  }
}

Profile Resolve(const ProfileSource& merged, const SyscallGroups& groups,
                std::vector<std::string>& complaints) {
  Profile profile;
  profile.name = merged.name.value;
  profile.source_file = merged.file;
  profile.display_name = RequiredText(merged.display_name, merged, "display_name", complaints);
  profile.description = RequiredText(merged.description, merged, "description", complaints);
  profile.default_main_file = RequiredText(merged.default_main_file, merged, "default_main_file", complaints);
  const bool plain = profile.default_main_file.find('/') == std::string::npos &&
                     profile.default_main_file.size() < 256 && profile.default_main_file != "." &&
                     profile.default_main_file != "..";
  if (!plain) {
    merged.default_main_file->at.Complain(complaints, "must be a file name without '/'");
  }
  profile.file_extension = Text(merged.file_extension, complaints);
  profile.hello_program = Text(merged.hello_program, complaints);
  profile.toolchain_package = Text(merged.toolchain_package, complaints);
  profile.toolchain_probe = Text(merged.toolchain_probe, complaints);
  for (const auto& [name, library] : merged.packages) {
    profile.packages[name] = library.value;
  }
  if (merged.root) {
    profile.image = merged.root->value;
  }
  if (merged.compile) {
    profile.compile = ResolveStep(StepKind::kCompile, *merged.compile,
                                  {merged.file, merged.name.at.line, "steps.compile"}, groups, complaints);
  }
  profile.run = ResolveStep(StepKind::kRun, *merged.run, {merged.file, merged.name.at.line, "steps.run"},
                            groups, complaints);
  ResolveTerminal(merged, groups, profile, complaints);
  return profile;
}

}  // namespace

StepSource MergeSteps(StepSource base, const StepSource& top) {
  Replace(base.command, top.command);
  Replace(base.outputs, top.outputs);
  for (const auto& [name, value] : top.environment) {
    base.environment[name] = value;
  }
  Append(base.limit_hints, top.limit_hints);
  Append(base.mounts, top.mounts);
  Append(base.symlinks, top.symlinks);
  Append(base.files, top.files);
  Replace(base.box_executable, top.box_executable);
  Replace(base.network, top.network);
  for (const auto& [id, limit] : top.limits) {
    Replace(base.limits[id].default_value, limit.default_value);
    Replace(base.limits[id].ceiling, limit.ceiling);
  }
  Append(base.groups, top.groups);
  Append(base.rules, top.rules);
  return base;
}

absl::StatusOr<std::map<std::string, Profile>> ResolveProfiles(const ProfileSources& sources,
                                                               const SyscallGroups& groups) {
  std::map<std::string, Profile> profiles;
  std::vector<std::string> complaints;
  for (const auto& [name, source] : sources) {
    const std::vector<const ProfileSource*> chain = ChainOf(source, sources, complaints);
    if (chain.empty() || source.abstract) {
      continue;
    }
    const size_t complaints_before = complaints.size();
    Profile profile = Resolve(MergeChain(chain), groups, complaints);
    profile.variant_of = NearestListed(chain);
    if (complaints.size() == complaints_before) {
      for (const LintFinding& finding : FindFilterFaults(profile)) {
        complaints.push_back(Complaint(source.file, source.name.at.line,
                                       "steps." + finding.step + ".syscalls", finding.reason));
      }
    }
    profiles.emplace(name, std::move(profile));
  }
  // Two children of one faulty parent say the same.
  std::vector<std::string> distinct;
  for (std::string& complaint : complaints) {
    if (std::find(distinct.begin(), distinct.end(), complaint) == distinct.end()) {
      distinct.push_back(std::move(complaint));
    }
  }
  RETURN_IF_ERROR(ComplaintsToStatus(distinct));
  return profiles;
}

}  // namespace caisson::policy
