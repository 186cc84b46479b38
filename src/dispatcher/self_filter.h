// The dispatcher's own syscall filter: what gRPC over Unix sockets, the pipes, the boundary, SQLite with its
// files already open, and the spool need, and nothing else.
#ifndef CAISSON_DISPATCHER_SELF_FILTER_H_
#define CAISSON_DISPATCHER_SELF_FILTER_H_

#include "absl/status/status.h"

namespace caisson::dispatcher {

// For this thread and all it will start. Calls off the list fail with EPERM; those that nothing but an
// exploit would make end the process. Needs no_new_privs. `spool`: the descriptor of the one directory in
// which files may be made; -1: none.
absl::Status LoadSelfFilter(int spool);

// The same before the records are opened, and what opening them needs: files by any path (Landlock says
// which), directories, and the second lockdown's own calls.
absl::Status LoadRecordsFilter();

// The program that LoadSelfFilter loads, as struct sock_filter after struct sock_filter. Loads nothing.
absl::Status WriteSelfFilter(int fd, int spool);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SELF_FILTER_H_
