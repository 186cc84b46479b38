// The sockets of tenants and roles: made by caissond as root, with the owner and mode the configuration gives
// them, and handed to each dispatcher it starts. So the dispatcher can neither make nor change one, and what
// waits to be accepted outlives a dispatcher that dies.
#ifndef CAISSON_ORCHESTRATOR_LISTENER_SOCKETS_H_
#define CAISSON_ORCHESTRATOR_LISTENER_SOCKETS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "ipc/messages.h"
#include "orchestrator/config_listeners.h"
#include "orchestrator/dispatcher_link.h"

namespace caisson::orchestrator {

class ListenerSockets {
 public:
  // Makes and listens on all of them. kFailedPrecondition naming the listener if a user does not exist,
  // somebody listens there, or its directory is not root's alone.
  static absl::StatusOr<std::unique_ptr<ListenerSockets>> Open(const std::vector<ListenerConfig>& listeners);
  // Takes their names away, where they are still theirs.
  ~ListenerSockets();
  ListenerSockets(const ListenerSockets&) = delete;
  ListenerSockets& operator=(const ListenerSockets&) = delete;

  size_t size() const { return sockets_.size(); }
  // A copy of each, for one dispatcher.
  absl::StatusOr<std::vector<DispatcherLink::Handed>> ForDispatcher() const;

 private:
  struct Socket {
    ipc::Listener message;
    UniqueFd directory;
    std::string name;  // in it
    UniqueFd socket;
    dev_t device = 0;
    ino_t inode = 0;
  };

  ListenerSockets() = default;
  static absl::StatusOr<Socket> OpenOne(const ListenerConfig& config);

  std::vector<Socket> sockets_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_LISTENER_SOCKETS_H_
