// How many sockets there are in a run's network namespace, read from outside. Run by caissond as root; the
// text is the kernel's.
#ifndef CAISSON_ORCHESTRATOR_SOCKET_COUNT_H_
#define CAISSON_ORCHESTRATOR_SOCKET_COUNT_H_

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace caisson::orchestrator {

// A run that has more is ended. A connection that nobody has accepted yet is made by the kernel for no
// process: it has no descriptor, its memory is within no cgroup's limit, and what is queued in it counts
// against the host's tcp_mem. The same holds, but for the memory, for one whose descriptor was closed too
// early for its peer: the host's tcp_max_orphans bounds them for all runs together. So this bounds both, at
// about 12 KiB each.
inline constexpr uint64_t kMostSockets = 2'048;
// Between two looks; what a hostile run makes in that time comes on top.
inline constexpr int64_t kSocketCountNanos = 50'000'000;

// The pid of the process that a pidfd is of, as this process sees it. The pid is its own until it is reaped.
absl::StatusOr<pid_t> PidOf(int pidfd);

// All sockets of the process's network namespace, those without a descriptor among them. An error once the
// process is dead.
absl::StatusOr<uint64_t> CountSockets(pid_t process);

// Pure. The number in the line "sockets: used N" of net/sockstat.
absl::StatusOr<uint64_t> ParseSocketsUsed(std::string_view sockstat);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_SOCKET_COUNT_H_
