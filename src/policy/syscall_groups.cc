#include "policy/syscall_groups.h"

#include <utility>

#include "common/status.h"
#include "policy/json_document.h"
#include "policy/syscall_rule_reader.h"

namespace caisson::policy {
namespace {

constexpr uint64_t kSchemaVersion = 1;

// "calls": {"NAME": "why", …}, each with the group's action.
void ReadCalls(const JsonValue& calls, const ActionAndErrno& outcome, JsonObjectReader& group,
               SyscallGroup& into) {
  for (const auto& [name, why] : calls.members) {
    const Position at{group.file(), why.line, group.KeyPath("calls") + "." + name};
    if (why.type != JsonValue::Type::kString || why.text.empty()) {
      at.Complain(group.complaints(), "must be the reason for this entry");
      continue;
    }
    into.rules.push_back({{name, outcome.action, outcome.errno_value, {}, why.text}, at});
  }
}

SyscallGroup ReadGroup(JsonObjectReader& reader) {
  SyscallGroup group;
  reader.Require("description");
  group.description = reader.String("description").value_or("");
  const ActionAndErrno outcome = ReadAction(reader);
  if (const JsonValue* calls = reader.Object("calls")) {
    ReadCalls(*calls, outcome, reader, group);
  }
  if (const JsonValue* rules = reader.Array("rules")) {
    std::vector<Located<SyscallRule>> read =
        ReadSyscallRules(*rules, reader.file(), reader.KeyPath("rules"), reader.complaints());
    group.rules.insert(group.rules.end(), read.begin(), read.end());
  }
  if (!reader.Has("calls") && !reader.Has("rules")) {
    reader.Complain("calls", "is missing, and so is rules");
  }
  reader.Finish();
  return group;
}

}  // namespace

absl::StatusOr<SyscallGroups> ParseSyscallGroups(std::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const JsonValue document, ParseJson(text, file));
  std::vector<std::string> complaints;
  SyscallGroups groups;
  JsonObjectReader reader(document, file, "", complaints);
  reader.Require("schema_version");
  if (reader.Unsigned("schema_version").value_or(kSchemaVersion) != kSchemaVersion) {
    reader.Complain("schema_version", "must be 1");
  }
  reader.Any("$schema");  // for editors
  reader.Require("groups");
  if (const JsonValue* members = reader.Object("groups")) {
    for (const auto& [name, value] : members->members) {
      JsonObjectReader group(value, file, "groups." + name, complaints);
      groups.emplace(name, ReadGroup(group));
    }
  }
  reader.Finish();
  RETURN_IF_ERROR(ComplaintsToStatus(complaints));
  return groups;
}

}  // namespace caisson::policy
