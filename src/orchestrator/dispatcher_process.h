// Starts caisson-dispatcher under its own user, without any privilege.
#ifndef CAISSON_ORCHESTRATOR_DISPATCHER_PROCESS_H_
#define CAISSON_ORCHESTRATOR_DISPATCHER_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pidfd.h"
#include "common/unique_fd.h"

namespace caisson::orchestrator {

struct DispatcherCommand {
  std::string program;  // absolute path
  std::vector<std::string> arguments;
  UniqueFd images;  // O_PATH, the directory where images are mounted
  uid_t uid = 0;
  gid_t gid = 0;
};

struct StartedDispatcher {
  PidFd process;
  pid_t pid = 0;
  UniqueFd socket;  // our end of the boundary
  UniqueFd log;     // non-blocking; what it writes to its standard error
};

// The child has the given ids, no supplementary group, no capability in any set, locked securebits,
// no_new_privs, the boundary on descriptor 3, the directory of images on 4, a pipe for its log as standard
// error and nothing else open; it dies with caissond. Its own program looks at the images, closes 4, and adds
// Landlock and a syscall filter, before it reads a byte from a client. uid and gid must not be 0.
absl::StatusOr<StartedDispatcher> StartDispatcher(const DispatcherCommand& command);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_DISPATCHER_PROCESS_H_
