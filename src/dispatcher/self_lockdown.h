// Locks the dispatcher in, before its first gRPC thread and the first byte of a client. Everything here holds
// for threads started later. Fail closed: any error ends the program.
#ifndef CAISSON_DISPATCHER_SELF_LOCKDOWN_H_
#define CAISSON_DISPATCHER_SELF_LOCKDOWN_H_

#include <set>
#include <string>

#include "absl/status/status.h"

namespace caisson::dispatcher {

// Checks what caissond has done (not root, no capability, one thread), sets no_new_privs, makes the process
// not dumpable, then applies Landlock and the syscall filter. After it no file can be opened but those of the
// directory that is open as `spool` (-1: none).
absl::Status LockDown(const std::set<std::string>& socket_directories, int spool);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SELF_LOCKDOWN_H_
