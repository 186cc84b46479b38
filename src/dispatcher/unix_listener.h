// A listening Unix socket. Runs in caisson-dispatcher, where it may make one (self_landlock.h).
#ifndef CAISSON_DISPATCHER_UNIX_LISTENER_H_
#define CAISSON_DISPATCHER_UNIX_LISTENER_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::dispatcher {

// In the place of what a dead predecessor left there. Non-blocking; the umask gives its mode. `path` fits.
absl::StatusOr<UniqueFd> ListenOn(const std::string& path);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_UNIX_LISTENER_H_
