// The listeners of caissond's configuration: a socket for each tenant or role. Read at start by caissond as
// root. Pure: users are looked up when the sockets are made (listener_sockets.h).
#ifndef CAISSON_ORCHESTRATOR_CONFIG_LISTENERS_H_
#define CAISSON_ORCHESTRATOR_CONFIG_LISTENERS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "ipc/messages.h"
#include "policy/json_document.h"

namespace caisson::orchestrator {

struct ListenerConfig {
  std::string socket;  // "unix:/PATH"
  std::string tenant;  // empty for operators and admins, and where tokens say it
  ipc::ClientRole role = ipc::ClientRole::kRun;
  mode_t mode = 0660;
  std::string owner = "root";  // of the socket's file; a name or a number, as all users here
  std::string group = "root";
  std::vector<std::string> peer_users;  // the only ones who may connect; empty: whoever the file lets in
};

// "listeners" of the configuration; complaints go to the reader. `main_socket` is taken already.
void ReadListeners(policy::JsonObjectReader& reader, const std::string& main_socket,
                   std::vector<ListenerConfig>& listeners);

// Whether one of them is for admins.
bool HaveAdmins(const std::vector<ListenerConfig>& listeners);

// A lower-case letter, then lower-case letters, digits and '-', at most 63 bytes.
bool IsTenantName(const std::string& name);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CONFIG_LISTENERS_H_
