// What a run needs of its surroundings: the run manager, as runs and their steps see it. On the I/O thread.
#ifndef CAISSON_DISPATCHER_RUN_HOST_H_
#define CAISSON_DISPATCHER_RUN_HOST_H_

#include <cstdint>

#include "caisson/v1/run.pb.h"
#include "common/event_loop.h"
#include "dispatcher/output_pump.h"
#include "dispatcher/supervisor_link.h"

namespace caisson::dispatcher {

// The number of a run: its place in time and its admission. Never 0, never used twice.
using RunKey = uint64_t;

// The callbacks may end runs, but never destroy one before the caller returns.
class RunHost {
 public:
  virtual ~RunHost() = default;
  virtual EventLoop& loop() = 0;
  virtual SupervisorLink& link() = 0;
  virtual const PumpResources& pump_resources() = 0;
  virtual void OnState(RunKey key, v1::Run::State state) = 0;
  // A step has its sandbox: one that was built ahead, or for it.
  virtual void OnSandbox(bool from_pool) = 0;
  // The admitted run holds so much less memory than it was admitted with.
  virtual void OnMemoryFree(RunKey key, uint64_t bytes) = 0;
  // The run no longer holds a sandbox, and will not have another.
  virtual void OnSandboxFree(RunKey key) = 0;
  // The result is known. For a run that was canceled in the queue, too.
  virtual void OnResult(RunKey key, const v1::RunResult& result) = 0;
  // Nothing will happen to the run any more.
  virtual void OnEnded(RunKey key) = 0;
  // The client of a waiting run went away or canceled it.
  virtual void OnLeftQueue(RunKey key) = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_HOST_H_
