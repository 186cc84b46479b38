#include "policy/oci_seccomp.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "common/status.h"
#include "policy/dangerous_calls.h"
#include "policy/json_document.h"
#include "policy/lint.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {
namespace {

constexpr uint32_t kWholeWord = 0xffffffffU;
constexpr size_t kMostRules = 65'536;
constexpr int kLeastKernelMajor = 5;  // what Caisson itself asks for
constexpr int kLeastKernelMinor = 15;
constexpr char kThisArchitecture[] = "amd64";

constexpr auto kComparisons = std::to_array<std::pair<std::string_view, OciComparison>>({
    {"SCMP_CMP_EQ", OciComparison::kEqual},
    {"SCMP_CMP_NE", OciComparison::kNotEqual},
    {"SCMP_CMP_MASKED_EQ", OciComparison::kMaskedEqual},
    {"SCMP_CMP_LT", OciComparison::kOther},
    {"SCMP_CMP_LE", OciComparison::kOther},
    {"SCMP_CMP_GT", OciComparison::kOther},
    {"SCMP_CMP_GE", OciComparison::kOther},
});

// Runtimes write null for what is absent.
const JsonValue* Member(const JsonValue& object, std::string_view name) {
  for (const JsonMember& member : object.members) {
    if (member.name == name && member.value.type != JsonValue::Type::kNull) {
      return &member.value;
    }
  }
  return nullptr;
}

std::string Text(const JsonValue& object, std::string_view name) {
  const JsonValue* value = Member(object, name);
  return value == nullptr ? std::string() : value->text;
}

std::vector<std::string> Texts(const JsonValue& object, std::string_view name) {
  std::vector<std::string> texts;
  if (const JsonValue* array = Member(object, name); array != nullptr) {
    for (const JsonValue& item : array->items) {
      texts.push_back(item.text);
    }
  }
  return texts;
}

bool Contains(const std::vector<std::string>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// Every kernel that Caisson runs on is at least this new.
bool IsOldKernel(const std::string& version) {
  int major = 0;
  int minor = 0;
  // NOLINTNEXTLINE(cert-err34-c): the count is checked
  if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) != 2) {
    return false;
  }
  return major < kLeastKernelMajor || (major == kLeastKernelMajor && minor <= kLeastKernelMinor);
}

// Does an entry hold for a process without capabilities on this architecture?
bool Applies(const JsonValue& entry) {
  if (const JsonValue* includes = Member(entry, "includes"); includes != nullptr) {
    const std::vector<std::string> arches = Texts(*includes, "arches");
    const std::string kernel = Text(*includes, "minKernel");
    if (!Texts(*includes, "caps").empty() || (!arches.empty() && !Contains(arches, kThisArchitecture)) ||
        (!kernel.empty() && !IsOldKernel(kernel))) {
      return false;
    }
  }
  const JsonValue* excludes = Member(entry, "excludes");
  return excludes == nullptr || (!Contains(Texts(*excludes, "arches"), kThisArchitecture) &&
                                 !IsOldKernel(Text(*excludes, "minKernel")));
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  void ReadEntry(const JsonValue& entry) {
    std::vector<std::string> names = Texts(entry, "names");
    if (const std::string name = Text(entry, "name"); !name.empty()) {
      names.push_back(name);
    }
    const std::string action = Text(entry, "action");
    if (names.empty() || !action.starts_with("SCMP_ACT_")) {
      return Complain(entry.line, "syscalls", "an entry needs names and an action such as SCMP_ACT_ALLOW");
    }
    const std::vector<std::vector<OciCondition>> alternatives = ReadConditions(entry);
    if (!Applies(entry)) {
      return;
    }
    for (const std::string& name : names) {
      for (const std::vector<OciCondition>& conditions : alternatives) {
        rules_.push_back({name, action == "SCMP_ACT_ALLOW", conditions});
      }
    }
    if (rules_.size() > kMostRules) {
      Complain(entry.line, "syscalls", "more than " + std::to_string(kMostRules) + " rules");
      rules_.clear();
    }
  }

  void Complain(int line, const std::string& key, const std::string& reason) {
    complaints_.push_back(Complaint(file_, line, key, reason));
  }

  absl::StatusOr<std::vector<OciRule>> Take() {
    RETURN_IF_ERROR(ComplaintsToStatus(complaints_));
    return std::move(rules_);
  }

 private:
  // Conditions hold together; but of several on one argument runtimes make rules of their own.
  std::vector<std::vector<OciCondition>> ReadConditions(const JsonValue& entry) {
    std::vector<OciCondition> conditions;
    std::set<uint32_t> indices;
    if (const JsonValue* args = Member(entry, "args"); args != nullptr) {
      for (const JsonValue& item : args->items) {
        conditions.push_back(ReadCondition(item));
        indices.insert(conditions.back().index);
      }
    }
    if (indices.size() == conditions.size()) {
      return {conditions};
    }
    std::vector<std::vector<OciCondition>> alternatives;
    alternatives.reserve(conditions.size());
    for (const OciCondition& condition : conditions) {
      alternatives.push_back({condition});
    }
    return alternatives;
  }

  OciCondition ReadCondition(const JsonValue& item) {
    OciCondition condition;
    const JsonValue* index = Member(item, "index");
    if (index == nullptr || index->type != JsonValue::Type::kUnsigned || index->number >= kSyscallArguments) {
      Complain(item.line, "args.index", "must be from 0 to 5");
      return condition;
    }
    condition.index = static_cast<uint32_t>(index->number);
    const std::string name = Text(item, "op");
    const auto* known = std::find_if(kComparisons.begin(), kComparisons.end(),
                                     [&](const auto& entry) { return entry.first == name; });
    if (known == kComparisons.end()) {
      Complain(item.line, "args.op", "must be an operator such as SCMP_CMP_EQ");
      return condition;
    }
    condition.comparison = known->second;
    const JsonValue* value = Member(item, "value");
    const JsonValue* second = Member(item, "valueTwo");
    condition.value = value == nullptr ? 0 : value->number;
    if (condition.comparison == OciComparison::kMaskedEqual) {
      condition.mask = condition.value;
      condition.value = second == nullptr ? 0 : second->number;
    }
    return condition;
  }

  std::string file_;
  std::vector<OciRule> rules_;
  std::vector<std::string> complaints_;
};

const ArgumentCondition* ConditionOn(const SyscallRule& rule, uint32_t index) {
  const auto found =
      std::find_if(rule.conditions.begin(), rule.conditions.end(),
                   [&](const ArgumentCondition& condition) { return condition.index == index; });
  return found == rule.conditions.end() ? nullptr : &*found;
}

// Does every call that our rule matches meet the condition? Arguments are compared by their low 32 bits,
// which are all that an int has.
bool Implies(const SyscallRule& rule, const OciCondition& condition) {
  const ArgumentCondition* own = ConditionOn(rule, condition.index);
  if (own == nullptr) {
    return false;
  }
  const auto mask = static_cast<uint32_t>(condition.mask);
  const auto value = static_cast<uint32_t>(condition.value);
  switch (condition.comparison) {
    case OciComparison::kEqual:
    case OciComparison::kMaskedEqual:
      return (mask & ~own->mask) == 0 && (own->value & mask) == value;
    case OciComparison::kNotEqual:
      return (value & own->mask) != own->value;
    case OciComparison::kOther:
      return false;
  }
  return false;
}

// Is there no call that both match?
bool IsDisjoint(const SyscallRule& rule, const OciRule& other) {
  return std::any_of(other.conditions.begin(), other.conditions.end(), [&](const OciCondition& condition) {
    const ArgumentCondition* own = ConditionOn(rule, condition.index);
    const auto value = static_cast<uint32_t>(condition.value);
    const auto common = own == nullptr ? 0 : own->mask & static_cast<uint32_t>(condition.mask);
    return own != nullptr && condition.comparison != OciComparison::kNotEqual &&
           condition.comparison != OciComparison::kOther && (own->value & common) != (value & common);
  });
}

bool IsAllowed(const std::vector<OciRule>& list, const SyscallRule& rule) {
  bool allowed = false;
  for (const OciRule& entry : list) {
    if (entry.syscall != rule.syscall) {
      continue;
    }
    if (!entry.allows && !IsDisjoint(rule, entry)) {
      return false;
    }
    allowed = allowed || (entry.allows && std::all_of(entry.conditions.begin(), entry.conditions.end(),
                                                      [&](const OciCondition& condition) {
                                                        return Implies(rule, condition);
                                                      }));
  }
  return allowed;
}

bool IsPermission(const SyscallRule& rule) {
  return rule.action == SyscallAction::kAllow || rule.action == SyscallAction::kCount ||
         rule.action == SyscallAction::kObserve;
}

std::string WhyLeftOut(const std::string& syscall, const SyscallFilter& learning) {
  for (const NamedCall& call : DangerousCalls()) {
    if (call.syscall == syscall && call.fixed.index < 0) {
      return std::string(call.why);
    }
  }
  for (const SyscallRule& rule : learning.rules) {
    if (rule.syscall == syscall) {
      return IsPermission(rule) ? "the list allows only a part of what a rule here does"
                                : "the profile refuses it: " + rule.why;
    }
  }
  return "no group allows it";
}

nlohmann::ordered_json OciArguments(const SyscallRule& rule) {
  nlohmann::ordered_json args = nlohmann::ordered_json::array();
  for (const ArgumentCondition& condition : rule.conditions) {
    args.push_back({{"index", condition.index},
                    {"value", condition.mask},
                    {"valueTwo", condition.value},
                    {"op", "SCMP_CMP_MASKED_EQ"}});
  }
  return args;
}

// "" for what is left to the default.
std::string OciAction(const SyscallRule& rule, const std::set<std::string>& with_conditions) {
  switch (rule.action) {
    case SyscallAction::kAllow:
    case SyscallAction::kCount:
    case SyscallAction::kObserve:
      return "SCMP_ACT_ALLOW";
    case SyscallAction::kErrno:
    case SyscallAction::kSucceed:
      return "SCMP_ACT_ERRNO";
    case SyscallAction::kDeny:
      return rule.errno_value == 0 || with_conditions.contains(rule.syscall) ? "" : "SCMP_ACT_ERRNO";
    case SyscallAction::kKill:
      return with_conditions.contains(rule.syscall) ? "" : "SCMP_ACT_KILL_PROCESS";
  }
  return "";
}

}  // namespace

absl::StatusOr<std::vector<OciRule>> ParseOciSeccomp(std::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const JsonValue document, ParseJson(text, file));
  Reader reader(file);
  const std::string default_action = Text(document, "defaultAction");
  const JsonValue* syscalls = Member(document, "syscalls");
  if (!default_action.starts_with("SCMP_ACT_") || syscalls == nullptr) {
    reader.Complain(document.line, "defaultAction",
                    "is missing, or syscalls is: this is no OCI seccomp list");
    return reader.Take();
  }
  if (default_action == "SCMP_ACT_ALLOW" || default_action == "SCMP_ACT_LOG") {
    reader.Complain(document.line, "defaultAction",
                    "allows what the list does not name; only lists of what is "
                    "allowed can be read");
    return reader.Take();
  }
  for (const JsonValue& entry : syscalls->items) {
    reader.ReadEntry(entry);
  }
  return reader.Take();
}

OciImport ImportOciSeccomp(const std::vector<OciRule>& rules, const SyscallFilter& learning,
                           const std::string& source) {
  OciImport import;
  std::map<std::string, bool> conditional;  // by call that the filter allows: only under conditions?
  for (const SyscallRule& rule : learning.rules) {
    SyscallRule kept = rule;
    if (IsPermission(rule)) {
      if (!IsAllowed(rules, rule)) {
        continue;
      }
      kept.why += "; allowed by " + source;
      kept.action = rule.action == SyscallAction::kCount ? rule.action : SyscallAction::kAllow;
      conditional[rule.syscall] = !rule.conditions.empty();
    }
    import.filter.rules.push_back(std::move(kept));
  }
  for (SyscallRule& rule : MissingForTheStub(import.filter)) {
    import.filter.rules.push_back(std::move(rule));
  }
  std::set<std::string> narrowed;
  for (const OciRule& rule : rules) {
    if (!rule.allows || !SyscallNumber(rule.syscall)) {
      continue;
    }
    const auto kept = conditional.find(rule.syscall);
    if (kept == conditional.end()) {
      import.left_out[rule.syscall] = WhyLeftOut(rule.syscall, learning);
    } else if (kept->second && rule.conditions.empty()) {
      narrowed.insert(rule.syscall);
    }
  }
  import.narrowed.assign(narrowed.begin(), narrowed.end());
  return import;
}

std::string WriteOciSeccomp(const SyscallFilter& filter) {
  using Json = nlohmann::ordered_json;
  std::set<std::string> with_conditions;
  for (const SyscallRule& rule : filter.rules) {
    if (!rule.conditions.empty()) {
      with_conditions.insert(rule.syscall);
    }
  }
  std::map<std::tuple<std::string, int, std::string>, std::set<std::string>>
      names;  // by action, error, conditions
  std::map<std::string, Json> arguments;
  for (const SyscallRule& rule : filter.rules) {
    const std::string action = OciAction(rule, with_conditions);
    if (action.empty()) {
      continue;
    }
    const std::string conditions = ConditionsInWords(rule);
    arguments[conditions] = OciArguments(rule);
    names[{action, action == "SCMP_ACT_ERRNO" ? rule.errno_value : -1, conditions}].insert(rule.syscall);
  }
  Json json{{"defaultAction", "SCMP_ACT_ERRNO"},
            {"defaultErrnoRet", EPERM},
            {"architectures", Json::array({"SCMP_ARCH_X86_64"})},
            {"syscalls", Json::array()}};
  for (const auto& [key, calls] : names) {
    const auto& [action, errno_value, conditions] = key;
    Json entry{{"names", calls}, {"action", action}};
    if (errno_value >= 0) {
      entry["errnoRet"] = errno_value;
    }
    if (!conditions.empty()) {
      entry["args"] = arguments[conditions];
    }
    json["syscalls"].push_back(std::move(entry));
  }
  return json.dump(2) + "\n";
}

}  // namespace caisson::policy
