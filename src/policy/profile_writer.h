// Writes a profile as a file of its own that extends nothing: what profile_loader reads back as the same
// value. Pure.
#ifndef CAISSON_POLICY_PROFILE_WRITER_H_
#define CAISSON_POLICY_PROFILE_WRITER_H_

#include <string>

#include "policy/profile.h"
#include "policy/syscall_groups.h"

namespace caisson::policy {

// JSON with a final newline. Rules that make up a whole group which allows nothing are written as the group's
// name. Rules for a terminal are not written: they come with `interactive`.
std::string WriteProfile(const Profile& profile, const SyscallGroups& groups);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_PROFILE_WRITER_H_
