// FINISHED: what is told about a run's end, from the evidence, the counters and the times. Pure.
#ifndef CAISSON_ORCHESTRATOR_FINISHED_MESSAGE_H_
#define CAISSON_ORCHESTRATOR_FINISHED_MESSAGE_H_

#include <cstdint>

#include "ipc/messages.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/verdict.h"

namespace caisson::orchestrator {

// CLOCK_MONOTONIC; 0 where it never came to that.
struct RunTimes {
  int64_t start_ns = 0;  // START received
  int64_t exec_ns = 0;
  int64_t exit_ns = 0;  // of the main process
  int64_t gone_ns = 0;  // init reaped
};

struct ContextSwitches {
  uint64_t voluntary = 0;
  uint64_t involuntary = 0;
};

// Completes `evidence` with the counters, decides, and fills the message; what the kernel did not give is
// absent.
ipc::Finished MakeFinished(ipc::SandboxId sandbox, Evidence& evidence, CgroupUsage usage,
                           const RunTimes& times, const ContextSwitches& switches);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_FINISHED_MESSAGE_H_
