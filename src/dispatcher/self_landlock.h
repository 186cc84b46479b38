// The dispatcher's own Landlock rules: after this the process, whoever controls it, can make and remove
// sockets in given directories, use the plain files of another, its spool, and touch no other file, connect
// nowhere by TCP, and signal nobody outside.
#ifndef CAISSON_DISPATCHER_SELF_LANDLOCK_H_
#define CAISSON_DISPATCHER_SELF_LANDLOCK_H_

#include <set>
#include <string>

#include "absl/status/status.h"

namespace caisson::dispatcher {

// Handles every right the kernel's ABI knows (of those this file knows), for this thread and all it will
// start. Needs no_new_privs. An error if the kernel has no Landlock.
// `spool`: an open directory; -1: none.
absl::Status RestrictFiles(const std::set<std::string>& socket_directories, int spool);

// Weaker: what may be done in the spool may be done in all of `records_directory`, and directories made
// there.
absl::Status RestrictFilesToRecords(const std::set<std::string>& socket_directories,
                                    const std::string& records_directory);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SELF_LANDLOCK_H_
