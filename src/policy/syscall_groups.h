// Named groups of syscalls, so that profiles say "local-sockets" instead of twenty names. Data, not code:
// profiles/syscall-groups.json holds each entry's reason beside it.
#ifndef CAISSON_POLICY_SYSCALL_GROUPS_H_
#define CAISSON_POLICY_SYSCALL_GROUPS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/located.h"
#include "policy/profile.h"

namespace caisson::policy {

inline constexpr char kSyscallGroupsFile[] = "syscall-groups.json";
// What a run with a terminal may do besides. No profile names it.
inline constexpr char kTerminalGroup[] = "terminal";
// What learning runs may do besides all that other groups allow. No profile names it.
inline constexpr char kLearningGroup[] = "learning";

struct SyscallGroup {
  std::string description;
  std::vector<Located<SyscallRule>> rules;
};

using SyscallGroups = std::map<std::string, SyscallGroup>;  // by name

// Parses the text of syscall-groups.json. `file` appears in messages only. Pure.
absl::StatusOr<SyscallGroups> ParseSyscallGroups(std::string_view text, const std::string& file);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_SYSCALL_GROUPS_H_
