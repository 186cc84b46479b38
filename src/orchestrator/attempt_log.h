// A line in caissond's own log, which no dispatcher can forge or leave out, about a run that did what
// ordinary programs do not do.
#ifndef CAISSON_ORCHESTRATOR_ATTEMPT_LOG_H_
#define CAISSON_ORCHESTRATOR_ATTEMPT_LOG_H_

#include <array>
#include <cstdint>
#include <string>

#include "ipc/messages.h"

namespace caisson::orchestrator {

// Pure. "run runs/0123…: ended as SYSCALL_VIOLATION for mount"; "" for every other end. `run_id` is the
// dispatcher's word, the rest is not.
std::string AttemptLine(const std::array<uint8_t, 16>& run_id, const ipc::Finished& finished);

// Logs it as a warning, if there is one.
void LogAttempt(const std::array<uint8_t, 16>& run_id, const ipc::Finished& finished);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_ATTEMPT_LOG_H_
