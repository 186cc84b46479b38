// What the dispatcher needs descriptors for. caissond sees to it that there are as many; the dispatcher keeps
// clients' connections from taking what runs need. One formula, so that the two agree.
#ifndef CAISSON_IPC_DESCRIPTOR_USE_H_
#define CAISSON_IPC_DESCRIPTOR_USE_H_

#include <cstdint>

#include "ipc/messages.h"

namespace caisson::ipc {

inline constexpr uint64_t kDispatcherOwnFds = 128;  // gRPC's, the log, the boundary, /dev/null
inline constexpr uint64_t kFdsOfOneConnection = 3;  // the client's, and a pair between the gate and gRPC
inline constexpr uint64_t kFewestConnections = 512;
// What was prepared, the bundle, and the next step's, which may be written before this one is gone.
inline constexpr uint64_t kDispatcherFdsOfOneRun = kPreparedFds + 2;

// Execute and Interact calls at once, whatever they wait for.
constexpr uint64_t MostOpenCalls(uint64_t max_runs, uint64_t queue_length) {
  return 2 * max_runs + queue_length + 64;
}

// Everything but connections: a call may hold one bundle before it is a run.
constexpr uint64_t DispatcherFdsForRuns(uint64_t max_runs, uint64_t queue_length) {
  return kDispatcherOwnFds + max_runs * kDispatcherFdsOfOneRun + MostOpenCalls(max_runs, queue_length);
}

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_DESCRIPTOR_USE_H_
