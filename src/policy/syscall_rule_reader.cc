#include "policy/syscall_rule_reader.h"

#include <charconv>
#include <limits>

#include "policy/errno_names.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {
namespace {

// An item is multiplied out, so a short file could otherwise stand for more rules than fit into memory.
constexpr size_t kMostNames = 512;
constexpr size_t kMostCombinations = 256;

// JSON has no hexadecimal numbers, but flags and ioctl numbers are written so everywhere: "0x5401" is a
// number too.
std::optional<uint32_t> ReadWord(const JsonValue& value) {
  if (value.type == JsonValue::Type::kUnsigned && value.number <= std::numeric_limits<uint32_t>::max()) {
    return static_cast<uint32_t>(value.number);
  }
  if (value.type != JsonValue::Type::kString || !value.text.starts_with("0x")) {
    return std::nullopt;
  }
  uint32_t word = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stop, error] = std::from_chars(value.text.data() + 2, end, word, 16);
  return error == std::errc() && stop == end ? std::optional(word) : std::nullopt;
}

constexpr char kWordForm[] = "must be a number below 2^32, or one written as \"0x5401\"";

// One argument of a rule: a condition for each of its values.
std::vector<ArgumentCondition> ReadArgument(const JsonValue& value, const std::string& file,
                                            const std::string& path, std::vector<std::string>& complaints) {
  JsonObjectReader reader(value, file, path, complaints);
  ArgumentCondition condition;
  reader.Require("index");
  const uint64_t index = reader.Unsigned("index").value_or(0);
  if (index > 5) {
    reader.Complain("index", "arguments are numbered 0 to 5");
  }
  condition.index = static_cast<uint32_t>(index);

  // Words may be numbers or strings, so they are looked up past the typed accessors.
  std::vector<ArgumentCondition> conditions;
  const auto word = [&](std::string_view key, const JsonValue& from) {
    const std::optional<uint32_t> read = ReadWord(from);
    if (!read) {
      reader.Complain(key, kWordForm);
    }
    return read.value_or(0);
  };
  if (const JsonValue* mask = reader.Any("mask"); mask != nullptr) {
    condition.mask = word("mask", *mask);
  }
  const JsonValue* single = reader.Any("value");
  const JsonValue* several = reader.Array("values");
  if ((single != nullptr) == reader.Has("values")) {
    reader.Complain("value", "give either value or values");
  } else if (single != nullptr) {
    condition.value = word("value", *single);
    conditions.push_back(condition);
  } else if (several != nullptr) {
    for (const JsonValue& item : several->items) {
      condition.value = word("values", item);
      conditions.push_back(condition);
    }
    if (conditions.empty()) {
      reader.Complain("values", "is empty");
    }
  }
  reader.Finish();
  return conditions;
}

// All combinations of the arguments' alternatives.
std::vector<std::vector<ArgumentCondition>> ReadArguments(JsonObjectReader& rule) {
  std::vector<std::vector<ArgumentCondition>> combinations = {{}};
  const JsonValue* array = rule.Array("args");
  if (array == nullptr) {
    return combinations;
  }
  if (array->items.empty()) {
    rule.Complain("args", "is empty; leave it out for a rule on every call");
  }
  for (size_t index = 0; index < array->items.size(); ++index) {
    const std::vector<ArgumentCondition> alternatives =
        ReadArgument(array->items[index], rule.file(),
                     rule.KeyPath("args") + "[" + std::to_string(index) + "]", rule.complaints());
    if (combinations.size() * alternatives.size() > kMostCombinations) {
      rule.Complain("args", "stands for more than " + std::to_string(kMostCombinations) + " combinations");
      return {};
    }
    std::vector<std::vector<ArgumentCondition>> extended;
    for (const auto& combination : combinations) {
      for (const ArgumentCondition& alternative : alternatives) {
        extended.push_back(combination);
        extended.back().push_back(alternative);
      }
    }
    combinations = std::move(extended);
  }
  return combinations;
}

std::vector<std::string> ReadNames(JsonObjectReader& reader) {
  std::vector<std::string> names;
  const std::optional<std::string> name = reader.String("name");
  const std::optional<std::vector<std::string>> several = reader.StringArray("names");
  if (reader.Has("name") == reader.Has("names")) {
    reader.Complain("name", "give either name or names");
    return names;
  }
  if (name) {
    names.push_back(*name);
  }
  if (several) {
    names = *several;
  }
  if (names.size() > kMostNames) {
    reader.Complain("names", "has more than " + std::to_string(kMostNames) + " entries");
  }
  return names;
}

}  // namespace

ActionAndErrno ReadAction(JsonObjectReader& reader) {
  ActionAndErrno read;
  const std::string action = reader.String("action").value_or("allow");
  if (action == "errno") {
    read.action = SyscallAction::kErrno;
  } else if (action == "succeed") {
    read.action = SyscallAction::kSucceed;
  } else if (action == "count") {
    read.action = SyscallAction::kCount;
  } else if (action == "deny") {
    read.action = SyscallAction::kDeny;
  } else if (action == "kill") {
    read.action = SyscallAction::kKill;
  } else if (action != "allow") {
    reader.Complain("action", "must be allow, errno, succeed, count, deny or kill");
  }
  if (const std::optional<std::string> name = reader.String("errno")) {
    const std::optional<int> number = FindErrno(*name);
    if (!number) {
      reader.Complain("errno", "'" + *name + "' is not the name of an error, such as ENOSYS");
    } else if (read.action != SyscallAction::kErrno && read.action != SyscallAction::kDeny) {
      reader.Complain("errno", std::string("means nothing for the action ") + ActionName(read.action));
    }
    read.errno_value = number.value_or(0);
  } else if (read.action == SyscallAction::kErrno) {
    reader.Complain("errno", "is missing: the action errno needs one");
  }
  return read;
}

std::vector<Located<SyscallRule>> ReadSyscallRules(const JsonValue& array, const std::string& file,
                                                   const std::string& path,
                                                   std::vector<std::string>& complaints) {
  std::vector<Located<SyscallRule>> rules;
  for (size_t index = 0; index < array.items.size(); ++index) {
    const JsonValue& item = array.items[index];
    const size_t complaints_before = complaints.size();
    JsonObjectReader reader(item, file, path + "[" + std::to_string(index) + "]", complaints);
    const std::vector<std::string> names = ReadNames(reader);
    const ActionAndErrno outcome = ReadAction(reader);
    const auto combinations = ReadArguments(reader);
    reader.Require("why");
    const std::optional<std::string> why = reader.String("why");
    if (why && why->empty()) {
      reader.Complain("why", "is empty");
    }
    reader.Finish();
    if (complaints.size() != complaints_before) {
      continue;
    }
    if (rules.size() + names.size() * combinations.size() > kMostSyscallRules) {
      reader.Complain("names", "stands for more than " + std::to_string(kMostSyscallRules) + " rules in all");
      break;
    }
    for (const std::string& name : names) {
      for (const auto& conditions : combinations) {
        rules.push_back({{name, outcome.action, outcome.errno_value, conditions, *why},
                         {file, item.line, reader.path()}});
      }
    }
  }
  return rules;
}

}  // namespace caisson::policy
