// Locks the gateway in, before its first gRPC thread and the first byte of a client, and its connector. What
// is left to the gateway: the connections that it accepts on a listener which is open already, and those to
// the daemon that the connector hands over. No file, no new socket, no program. Fail closed: any error ends
// the program.
#ifndef CAISSON_GATEWAY_LOCKDOWN_H_
#define CAISSON_GATEWAY_LOCKDOWN_H_

#include "absl/status/status.h"

namespace caisson::gateway {

// Not root, no capability, one thread; then no_new_privs, not dumpable, Landlock. What is left needs the
// filter.
absl::Status LockFiles();
// The syscall filter, for this thread and those it starts.
absl::Status LoadGatewayFilter();

// The program as struct sock_filter after struct sock_filter. Loads nothing.
absl::Status WriteGatewayFilter(int fd);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_LOCKDOWN_H_
