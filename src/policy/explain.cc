#include "policy/explain.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "policy/errno_names.h"
#include "policy/limit_hints.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {
namespace {

constexpr size_t kNameColumn = 26;

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

std::string Because(const std::string& why) { return why.empty() ? "" : "  # " + why; }

// Control characters would play tricks on a terminal.
std::string Printable(const std::string& text) {
  std::string printable;
  for (const char character : text) {
    printable += character == '\n' ? std::string("\\n")
                                   : std::string(1, character < ' ' && character >= 0 ? '?' : character);
  }
  return printable;
}

void ExplainRoot(const StepSection& step, bool of_image, std::string& text) {
  text += "  root: read-only, nosuid, nodev; besides /box, /tmp, /dev and /proc it holds\n";
  for (const BindMount& bind : step.binds) {
    text += "    " + Padded(bind.target, kNameColumn) + (of_image ? "the image's " : "the host's ") +
            (bind.source == bind.target ? "own" : bind.source);
    text += bind.executable ? ", executable" : ", not executable";
    text += bind.optional ? ", if it is there" : "";
    text += Because(bind.why) + "\n";
  }
  for (const Symlink& symlink : step.symlinks) {
    text += "    " + Padded(symlink.path, kNameColumn) + "-> " + symlink.target + "\n";
  }
  for (const TextFile& file : step.files) {
    text += "    " + Padded(file.path, kNameColumn) + "\"" + Printable(file.content) + "\"\n";
  }
}

void ExplainLimits(const StepSection& step, std::string& text) {
  text += "  limits: default, and the most a client may ask for\n";
  for (size_t index = 0; index < kLimitCount; ++index) {
    const auto id = static_cast<LimitId>(index);
    text += "    " + Padded(std::string(LimitName(id)), kNameColumn) +
            Padded(std::to_string(step.limits.defaults.Get(id)), 14) +
            std::to_string(step.limits.ceilings.Get(id)) + "\n";
  }
}

std::string OutcomeOf(const SyscallRule& rule) {
  switch (rule.action) {
    case SyscallAction::kAllow:
      return "allowed";
    case SyscallAction::kErrno:
      return "fails with " + ErrnoName(rule.errno_value) + ", not reported";
    case SyscallAction::kSucceed:
      return "succeeds and does nothing, not reported";
    case SyscallAction::kCount:
      return "allowed and counted; too many fail with ENOLCK, reported";
    case SyscallAction::kDeny:
      return "fails with " + ErrnoName(rule.errno_value == 0 ? EPERM : rule.errno_value) + ", reported";
    case SyscallAction::kKill:
      return "ends the run as SYSCALL_VIOLATION";
    case SyscallAction::kObserve:
      return "allowed and reported";
  }
  return "unknown";
}

// Deny and kill are for whatever the syscall's other rules leave over, where it has some.
bool IsForTheRest(const SyscallRule& rule, const SyscallFilter& filter) {
  return (rule.action == SyscallAction::kDeny || rule.action == SyscallAction::kKill) &&
         std::any_of(filter.rules.begin(), filter.rules.end(), [&](const SyscallRule& other) {
           return other.syscall == rule.syscall && !other.conditions.empty();
         });
}

void ExplainRules(const SyscallFilter& filter, std::string& text) {
  constexpr std::array<SyscallAction, 6> kOrder = {SyscallAction::kAllow,   SyscallAction::kErrno,
                                                   SyscallAction::kSucceed, SyscallAction::kCount,
                                                   SyscallAction::kDeny,    SyscallAction::kKill};
  for (const SyscallAction action : kOrder) {
    // One line for each call, outcome and reason; the values of an argument are gathered on it.
    std::map<std::array<std::string, 3>, std::string> lines;
    for (const SyscallRule& rule : filter.rules) {
      if (rule.action != action) {
        continue;
      }
      const std::string outcome = OutcomeOf(rule) + (IsForTheRest(rule, filter) ? " otherwise" : "");
      const std::string conditions = ConditionsInWords(rule);
      std::string& alternatives = lines[{rule.syscall, outcome, rule.why}];
      if (!conditions.empty()) {
        alternatives += alternatives.empty() ? " when " : " or ";
        alternatives += conditions;
      }
    }
    for (const auto& [key, alternatives] : lines) {
      const auto& [syscall, outcome, why] = key;
      text.append("    ").append(Padded(syscall, kNameColumn)).append(outcome).append(alternatives);
      text.append(Because(why)).append("\n");
    }
  }
}

void ExplainSyscalls(const StepSection& step, std::string& text) {
  text +=
      "  syscalls: what is not named here fails with EPERM and is reported; 32-bit and x32 calls end the "
      "run\n";
  ExplainRules(step.filter, text);
  if (!step.terminal_filter.rules.empty()) {
    // The group's rules follow the filter's own.
    SyscallFilter besides;
    besides.rules.assign(
        step.terminal_filter.rules.begin() + static_cast<ptrdiff_t>(step.filter.rules.size()),
        step.terminal_filter.rules.end());
    text += "  syscalls besides, in a run with a terminal\n";
    ExplainRules(besides, text);
  }
}

void ExplainStep(const std::string& name, const StepSection& step, bool of_image, std::string& text) {
  text += "\nstep " + name + "\n  command:";
  for (const std::string& word : step.command) {
    text += " " + Printable(word);
  }
  if (!step.outputs.empty()) {
    text += "\n  outputs, for the run step:";
    for (const std::string& path : step.outputs) {
      text += " " + Printable(path);
    }
  }
  text += "\n  /box, /tmp and /dev/shm: writable, ";
  text += step.box_executable ? "files there may be executed\n" : "nothing there may be executed\n";
  text += step.terminal_filter.rules.empty() ? "" : "  terminal: for runs that ask for one, of their own\n";
  text += "  network: ";
  text +=
      step.network == NetworkMode::kNone ? "none, not even loopback\n" : "a loopback interface of its own\n";
  text += "  environment: these variables and the request's own\n";
  for (const auto& [variable, value] : step.environment) {
    const auto why = step.environment_whys.find(variable);
    text += "    " + variable + "=" + Printable(value) +
            Because(why == step.environment_whys.end() ? "" : why->second) + "\n";
  }
  for (const LimitHint& hint : step.limit_hints) {
    text += std::string("    ") + (hint.variable.empty() ? "after the command's first word: " : "") +
            Printable(HintText(hint));
    if (hint.unit == HintUnit::kMemoryMib) {
      text += ", " + std::to_string(hint.percent) + "% of memory_bytes";
    }
    text += Because(hint.why) + "\n";
  }
  ExplainRoot(step, of_image, text);
  ExplainLimits(step, text);
  ExplainSyscalls(step, text);
}

}  // namespace

std::string ExplainProfile(const Profile& profile) {
  std::string text =
      profile.name + ": " + Printable(profile.display_name) + "\n" + Printable(profile.description) + "\n";
  text += "read from " + profile.source_file + "; the main file is " + profile.default_main_file +
          " unless the request names another\n";
  text += profile.image ? "root: the image " + profile.image->path + ", " + profile.image->digest + "\n"
                        : "root: the host's own files, read-only\n";
  if (!profile.toolchain_probe.empty()) {
    text += "available where " + profile.toolchain_probe + " exists";
    text +=
        profile.toolchain_package.empty() ? "\n" : " (Debian package " + profile.toolchain_package + ")\n";
  }
  if (!profile.variant_of.empty()) {
    text += "a variant of " + profile.variant_of + "\n";
  }
  for (const auto& [name, library] : profile.packages) {
    text +=
        "library " + name + " where " + library.probe + " exists (Debian package " + library.package + ")\n";
  }
  if (profile.compile) {
    ExplainStep("compile", *profile.compile, profile.image.has_value(), text);
  }
  ExplainStep("run", profile.run, profile.image.has_value(), text);
  return text;
}

}  // namespace caisson::policy
