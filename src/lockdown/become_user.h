// From root to the user that the operator named. Before any byte of a client.
#ifndef CAISSON_LOCKDOWN_BECOME_USER_H_
#define CAISSON_LOCKDOWN_BECOME_USER_H_

#include <string>

#include "absl/status/status.h"

namespace caisson::lockdown {

// As root: its ids and its groups (one of which lets it open the daemon's socket), no capability,
// no_new_privs. As somebody else with a name given: an error, since nobody else can change who he is. Empty:
// nothing.
absl::Status BecomeUser(const std::string& name);

}  // namespace caisson::lockdown

#endif  // CAISSON_LOCKDOWN_BECOME_USER_H_
