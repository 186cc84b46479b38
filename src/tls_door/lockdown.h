// Locks the door in before the first byte of a client, and its connector. What is left to the door: the
// connections that it accepts on a listener which is open already, those to the daemon that the connector
// hands over, and reading the directory of certificates. No new socket, no program. Fail closed: any error
// ends the program.
#ifndef CAISSON_TLS_DOOR_LOCKDOWN_H_
#define CAISSON_TLS_DOOR_LOCKDOWN_H_

#include "absl/status/status.h"

namespace caisson::tls_door {

// Not root, no capability, one thread; then no_new_privs, not dumpable, Landlock. `certificates`: the open
// directory that stays readable.
absl::Status LockFiles(int certificates);
absl::Status LoadDoorFilter();

// The program as struct sock_filter after struct sock_filter. Loads nothing.
absl::Status WriteDoorFilter(int fd);

}  // namespace caisson::tls_door

#endif  // CAISSON_TLS_DOOR_LOCKDOWN_H_
