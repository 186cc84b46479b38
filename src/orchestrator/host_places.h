// Where caissond finds and puts things on the host: its user, its directories, its programs, its mount
// namespace.
#ifndef CAISSON_ORCHESTRATOR_HOST_PLACES_H_
#define CAISSON_ORCHESTRATOR_HOST_PLACES_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace caisson::orchestrator {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};

// kFailedPrecondition, with the command that makes it, if there is no such user; also for root.
absl::StatusOr<User> FindUser(const std::string& name);

// The dispatcher beside this program, or in ../libexec/caisson.
absl::StatusOr<std::string> FindDispatcher();
// profiles/ of a build, or ../share/caisson/profiles.
absl::StatusOr<std::string> FindProfiles();

// For "unix:/PATH": makes the parent directory (owned by `user`) if it is missing; checks that the user may
// make a socket there and that nobody listens on it now. kInvalidArgument for any other kind of address.
absl::Status PrepareSocketDirectory(const std::string& address, const User& user);

// Makes `directory` (0700, owned by `user`) and the one above it (root's) if they are missing; an error
// unless it is that user's and nobody else's. Nothing of ours ever goes into it: what lies in there is the
// dispatcher's.
absl::Status PrepareRecordsDirectory(const std::string& directory, const User& user);

// Moves this process into a mount namespace of its own, from which nothing propagates, and makes
// `state_dir`/root, on which init builds each root. A SIGKILL then leaves no mount behind.
absl::StatusOr<std::string> EnterPrivateMounts(const std::string& state_dir);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_HOST_PLACES_H_
