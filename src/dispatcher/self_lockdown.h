// Locks the dispatcher in, before its first gRPC thread and the first byte of a client, in two steps: the
// first before the records are opened, since what lies in their directory may be the work of a predecessor
// under somebody else's control; the second, narrower, before clients. Everything here holds for threads
// started later. Fail closed: any error ends the program.
#ifndef CAISSON_DISPATCHER_SELF_LOCKDOWN_H_
#define CAISSON_DISPATCHER_SELF_LOCKDOWN_H_

#include <set>
#include <string>

#include "absl/status/status.h"

namespace caisson::dispatcher {

// Checks what caissond has done (not root, no capability, one thread), sets no_new_privs, makes the process
// not dumpable, then applies Landlock and a syscall filter: files can be made and opened in
// `records_directory` alone, sockets made in `socket_directories`.
absl::Status LockDownToRecords(const std::set<std::string>& socket_directories,
                               const std::string& records_directory);

// On top of it: no file can be opened but those of the directory that is open as `spool` (-1: none).
absl::Status LockDown(const std::set<std::string>& socket_directories, int spool);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SELF_LOCKDOWN_H_
