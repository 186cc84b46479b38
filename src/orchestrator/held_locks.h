// How many record locks the processes of a run hold, for init, which has counted calls but cannot see what
// they lock and unlock (src/sandbox/init/lock_budget.h). Run by caissond as root; reads the kernel's files
// about processes that are hostile and may start and end threads meanwhile.
#ifndef CAISSON_ORCHESTRATOR_HELD_LOCKS_H_
#define CAISSON_ORCHESTRATOR_HELD_LOCKS_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace caisson::orchestrator {

// The locks of processes (not of open files, not flock's) in the text of one /proc/TID/fdinfo/FD. Pure.
uint64_t CountPosixLocks(std::string_view fdinfo);

// The threads of a run as they are now, by host thread id.
using ListThreads = std::function<absl::StatusOr<std::vector<pid_t>>()>;

// At most so many locks of processes are held by `list_threads`, all of them counted through every descriptor
// of every thread, plus what calls that init has let go on may still take: never too few. Absent when it
// cannot be told by `deadline_nanos`: too many descriptors, or threads that come faster than they are
// counted.
std::optional<uint64_t> CountHeldLocks(const ListThreads& list_threads, int64_t deadline_nanos);

// Counts for all runs of this caissond, within a bounded share of its time. Not thread-safe.
class LockCounter {
 public:
  // A count may begin from this time on (MonotonicNanos).
  int64_t next_nanos() const { return next_nanos_; }
  // UINT64_MAX when it could not be told.
  uint64_t Count(const ListThreads& list_threads);

 private:
  int64_t next_nanos_ = 0;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_HELD_LOCKS_H_
