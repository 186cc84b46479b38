// Reads syscall rules as they stand in profiles and in syscall-groups.json.
#ifndef CAISSON_POLICY_SYSCALL_RULE_READER_H_
#define CAISSON_POLICY_SYSCALL_RULE_READER_H_

#include <optional>
#include <string>
#include <vector>

#include "policy/json_document.h"
#include "policy/located.h"
#include "policy/profile.h"

namespace caisson::policy {

struct ActionAndErrno {
  SyscallAction action = SyscallAction::kAllow;
  int errno_value = 0;
};

// The keys "action" (allow if absent) and "errno" of `reader`'s object.
ActionAndErrno ReadAction(JsonObjectReader& reader);

// One object {names | name, action, errno, args, why} for each item. An item stands for one rule for each of
// its names and each combination of its arguments' values. Faulty items are left out, with a complaint.
std::vector<Located<SyscallRule>> ReadSyscallRules(const JsonValue& array, const std::string& file,
                                                   const std::string& path,
                                                   std::vector<std::string>& complaints);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_SYSCALL_RULE_READER_H_
