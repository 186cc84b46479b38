// Reads profiles from JSON files. Privileged programs trust only files that no other user can have written.
#ifndef CAISSON_POLICY_PROFILE_LOADER_H_
#define CAISSON_POLICY_PROFILE_LOADER_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/profile.h"
#include "policy/syscall_groups.h"

namespace caisson::policy {

// Whether file owner and mode are checked (every file and the directory owned by root or by the caller's own
// uid 0, not writable by group or others, no symbolic link).
enum class FileTrust { kRequireRootOwned, kAnyOwner };

using ProfileSet = std::map<std::string, Profile>;  // by name

// Loads every DIR/*.json (schema.json excepted), resolves "extends", checks each profile.
// Errors are kInvalidArgument in the form "FILE:LINE: KEY: reason", one a line if there are several.
absl::StatusOr<ProfileSet> LoadProfiles(const std::string& directory, FileTrust trust);

struct LoadedProfiles {
  ProfileSet profiles;
  SyscallGroups groups;  // also those that no profile names
};

// The same, with the groups of syscall-groups.json.
absl::StatusOr<LoadedProfiles> LoadProfilesAndGroups(const std::string& directory, FileTrust trust);

// The names nearest to `name` (edit distance, prefix), best first, at most three.
std::vector<std::string> NearestNames(const ProfileSet& profiles, const std::string& name);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_PROFILE_LOADER_H_
