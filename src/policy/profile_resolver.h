// From profiles as written to profiles as they hold: "extends" followed, groups expanded, contradictions
// refused. Pure.
#ifndef CAISSON_POLICY_PROFILE_RESOLVER_H_
#define CAISSON_POLICY_PROFILE_RESOLVER_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "policy/profile.h"
#include "policy/profile_source.h"
#include "policy/syscall_groups.h"

namespace caisson::policy {

using ProfileSources = std::map<std::string, ProfileSource>;  // by name

// Parent first, child on top: single values and words of the command replace; environment variables and the
// halves of limits replace one by one; mounts, symlinks, files, groups and rules are added, so a child can
// never silently drop a rule of its parent: a rule that says otherwise is a contradiction. "all" comes before
// the step's own section.
StepSource MergeSteps(StepSource base, const StepSource& top);

// Every profile that is not abstract. kInvalidArgument with every complaint "FILE:LINE: KEY: reason", one a
// line.
absl::StatusOr<std::map<std::string, Profile>> ResolveProfiles(const ProfileSources& sources,
                                                               const SyscallGroups& groups);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_PROFILE_RESOLVER_H_
