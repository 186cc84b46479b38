#include "policy/profile_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "policy/errno_names.h"
#include "policy/limit_hints.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint32_t kWholeWord = 0xffffffffU;
constexpr uint32_t kFirstInHexadecimal = 256;

// Numbers of requests and flags as people know them.
Json Word(uint32_t word) {
  if (word < kFirstInHexadecimal) {
    return word;
  }
  std::array<char, 16> text{};
  const int length = std::snprintf(text.data(), text.size(), "0x%x", word);
  return std::string(text.data(), static_cast<size_t>(length));
}

bool IsAlike(const SyscallRule& left, const SyscallRule& right) {
  return left.syscall == right.syscall && left.action == right.action &&
         left.errno_value == right.errno_value && left.why == right.why;
}

bool IsSame(const SyscallRule& left, const SyscallRule& right) {
  return IsAlike(left, right) && ConditionsInWords(left) == ConditionsInWords(right);
}

// Whether both say the same of one argument but for its value.
bool DifferInOneValue(const SyscallRule& left, const SyscallRule& right) {
  return IsAlike(left, right) && left.conditions.size() == 1 && right.conditions.size() == 1 &&
         left.conditions[0].index == right.conditions[0].index &&
         left.conditions[0].mask == right.conditions[0].mask;
}

Json Condition(const ArgumentCondition& condition) {
  Json json{{"index", condition.index}};
  if (condition.mask != kWholeWord) {
    json["mask"] = Word(condition.mask);
  }
  json["value"] = Word(condition.value);
  return json;
}

Json Rule(const SyscallRule& rule) {
  Json json{{"name", rule.syscall}};
  if (rule.action != SyscallAction::kAllow) {
    json["action"] = ActionName(rule.action);
  }
  if (rule.errno_value != 0 &&
      (rule.action == SyscallAction::kErrno || rule.action == SyscallAction::kDeny)) {
    json["errno"] = ErrnoName(rule.errno_value);
  }
  for (const ArgumentCondition& condition : rule.conditions) {
    json["args"].push_back(Condition(condition));
  }
  json["why"] = rule.why;
  return json;
}

// The last of `rules` gets one more value.
void AddValue(Json& rules, uint32_t value) {
  Json& argument = rules.back()["args"][0];
  if (!argument.contains("values")) {
    argument["values"] = Json::array({argument["value"]});
    argument.erase("value");
  }
  argument["values"].push_back(Word(value));
}

Json Rules(const std::vector<const SyscallRule*>& from) {
  Json rules = Json::array();
  const SyscallRule* previous = nullptr;
  for (const SyscallRule* rule : from) {
    if (previous != nullptr && DifferInOneValue(*previous, *rule)) {
      AddValue(rules, rule->conditions[0].value);
    } else {
      rules.push_back(Rule(*rule));
    }
    previous = rule;
  }
  return rules;
}

bool AllowsNothing(const SyscallGroup& group) {
  return std::none_of(group.rules.begin(), group.rules.end(), [](const Located<SyscallRule>& rule) {
    return rule.value.action == SyscallAction::kAllow || rule.value.action == SyscallAction::kCount;
  });
}

Json Syscalls(const SyscallFilter& filter, const SyscallGroups& groups) {
  std::vector<const SyscallRule*> left;
  for (const SyscallRule& rule : filter.rules) {
    left.push_back(&rule);
  }
  Json names = Json::array();
  for (const auto& [name, group] : groups) {
    const auto is_of_group = [&rules = group.rules](const SyscallRule* rule) {
      return std::any_of(rules.begin(), rules.end(),
                         [&](const Located<SyscallRule>& other) { return IsSame(other.value, *rule); });
    };
    const auto is_left = [&](const Located<SyscallRule>& rule) {
      return std::any_of(left.begin(), left.end(),
                         [&](const SyscallRule* other) { return IsSame(*other, rule.value); });
    };
    if (AllowsNothing(group) && std::all_of(group.rules.begin(), group.rules.end(), is_left)) {
      names.push_back(name);
      left.erase(std::remove_if(left.begin(), left.end(), is_of_group), left.end());
    }
  }
  return Json{{"groups", std::move(names)}, {"rules", Rules(left)}};
}

Json LimitsOf(const LimitRange& limits, const LimitRange& standard) {
  Json json = Json::object();
  for (size_t index = 0; index < kLimitCount; ++index) {
    const auto id = static_cast<LimitId>(index);
    const std::string name(LimitName(id));
    if (limits.defaults.Get(id) != standard.defaults.Get(id)) {
      json[name]["default"] = limits.defaults.Get(id);
    }
    if (limits.ceilings.Get(id) != standard.ceilings.Get(id)) {
      json[name]["ceiling"] = limits.ceilings.Get(id);
    }
  }
  return json;
}

Json Environment(const StepSection& step) {
  Json json = Json::object();
  for (const auto& [name, value] : step.environment) {
    const auto why = step.environment_whys.find(name);
    json[name] =
        why == step.environment_whys.end() ? Json(value) : Json{{"value", value}, {"why", why->second}};
  }
  return json;
}

Json LimitHints(const StepSection& step) {
  Json json = Json::array();
  for (const LimitHint& hint : step.limit_hints) {
    Json one;
    if (hint.variable.empty()) {
      one["argument"] = HintText(hint);
    } else {
      one["variable"] = hint.variable;
      one["value"] =
          hint.before + (hint.unit == HintUnit::kMemoryMib ? "{memory_mib}" : "{cpus}") + hint.after;
    }
    if (hint.unit == HintUnit::kMemoryMib) {
      one["percent"] = hint.percent;
    }
    one["why"] = hint.why;
    json.push_back(std::move(one));
  }
  return json;
}

Json Mounts(const StepSection& step) {
  Json json = Json::array();
  for (const BindMount& bind : step.binds) {
    Json mount{{"source", bind.source}};
    if (bind.target != bind.source) {
      mount["target"] = bind.target;
    }
    mount["executable"] = bind.executable;
    mount["optional"] = bind.optional;
    mount["why"] = bind.why;
    json.push_back(std::move(mount));
  }
  return json;
}

Json Step(const StepSection& step, const LimitRange& standard, const SyscallGroups& groups) {
  Json json{{"command", step.command}};
  if (!step.outputs.empty()) {
    json["outputs"] = step.outputs;
  }
  json["environment"] = Environment(step);
  json["limit_hints"] = LimitHints(step);
  json["mounts"] = Mounts(step);
  json["symlinks"] = Json::array();
  for (const Symlink& symlink : step.symlinks) {
    json["symlinks"].push_back({{"path", symlink.path}, {"target", symlink.target}});
  }
  json["files"] = Json::array();
  for (const TextFile& file : step.files) {
    json["files"].push_back({{"path", file.path}, {"content", file.content}});
  }
  json["box_executable"] = step.box_executable;
  json["network"] = step.network == NetworkMode::kLoopback ? "loopback" : "none";
  json["limits"] = LimitsOf(step.limits, standard);
  json["syscalls"] = Syscalls(step.filter, groups);
  return json;
}

}  // namespace

std::string WriteProfile(const Profile& profile, const SyscallGroups& groups) {
  Json json{{"$schema", "./schema.json"},
            {"schema_version", 1},
            {"name", profile.name},
            {"display_name", profile.display_name},
            {"description", profile.description},
            {"default_main_file", profile.default_main_file},
            {"interactive", profile.interactive}};
  if (!profile.file_extension.empty()) {
    json["file_extension"] = profile.file_extension;
  }
  if (!profile.hello_program.empty()) {
    json["hello_program"] = profile.hello_program;
  }
  if (!profile.toolchain_package.empty()) {
    json["toolchain"]["package"] = profile.toolchain_package;
  }
  if (!profile.toolchain_probe.empty()) {
    json["toolchain"]["probe"] = profile.toolchain_probe;
  }
  for (const auto& [name, library] : profile.packages) {
    json["packages"][name] = {{"package", library.package}, {"probe", library.probe}};
  }
  if (profile.compile) {
    json["steps"]["compile"] = Step(*profile.compile, StandardCompileLimits(), groups);
  }
  json["steps"]["run"] = Step(profile.run, StandardRunLimits(), groups);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace caisson::policy
