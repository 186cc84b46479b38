// What is wrong, or unwise, in a profile that can be read. `caisson profile lint` prints it all; the loader
// refuses profiles with the faults, since a run under them could not start or would not get what its profile
// says.
#ifndef CAISSON_POLICY_LINT_H_
#define CAISSON_POLICY_LINT_H_

#include <string>
#include <vector>

#include "policy/profile.h"

namespace caisson::policy {

struct LintFinding {
  std::string step;  // "compile" or "run"
  std::string reason;
};

// Contradictory rules, and calls that the stub makes between seccomp(2) and execve(2) but the filter does not
// allow. Pure.
std::vector<LintFinding> FindFilterFaults(const Profile& profile);

// The faults, then what a careful author would change: dangerous calls allowed, sockets without a family
// rule, missing reasons, binds whose source is absent, writable by others or sensitive on this host, defaults
// above ceilings. Empty for a good profile. Looks at the host's files (lstat), changes nothing.
std::vector<std::string> LintProfile(const Profile& profile);

// Whether lint would object to a step that has just this rule and this network. Pure.
bool IsUnwise(const SyscallRule& rule, NetworkMode network);

// Calls that the stub makes and the filter does not allow, as rules that do. Pure.
std::vector<SyscallRule> MissingForTheStub(const SyscallFilter& filter);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_LINT_H_
