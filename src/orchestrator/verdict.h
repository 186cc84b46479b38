// The verdict: a pure function of what the kernel and the deadlines said about one run. No process, no file.
#ifndef CAISSON_ORCHESTRATOR_VERDICT_H_
#define CAISSON_ORCHESTRATOR_VERDICT_H_

#include <cstdint>
#include <optional>

#include "ipc/messages.h"

namespace caisson::orchestrator {

// What made caissond end a run, if it did; the first cause stays.
enum class EndCause : uint8_t {
  kNone,  // the program ended by itself
  kWallDeadline,
  kCpuDeadline,
  kSockets,
  kOom,       // the OOM event arrived and we killed the rest
  kCanceled,  // detail in `cancel`
  kShutdown,
  kInitLost,     // init died or broke the protocol
  kSetupFailed,  // a step after START failed; nothing ran
};

struct Evidence {
  EndCause cause = EndCause::kNone;
  ipc::CancelReason cancel = ipc::CancelReason::kClient;
  uint64_t cancel_limit = 0;  // kOutputLimit
  uint64_t cancel_observed = 0;

  bool main_ended = false;  // init reported the main process's end
  bool exited = false;
  int exit_code = 0;
  int term_signal = 0;
  int violation_syscall = -1;  // init killed for this call
  bool denial_rate_hit = false;
  uint64_t denials_in_last_second = 0;
  uint64_t denials_per_second_limit = 0;

  std::optional<uint64_t> oom_kills;
  uint64_t memory_peak_bytes = 0;
  uint64_t sockets = 0;  // kSockets: those there were
  uint64_t cpu_used_us = 0;
  uint64_t wall_used_ns = 0;  // START to the end of the main process, or to now
  ipc::StartLimits limits{};
  ipc::Step step = ipc::Step::kRun;
  ipc::SetupError setup_error{};
};

struct Decision {
  ipc::Verdict verdict = ipc::Verdict::kServiceFailed;
  ipc::Actor ended_by = ipc::Actor::kService;
  ipc::LimitName limit = ipc::LimitName::kNone;
  uint64_t limit_value = 0;
  uint64_t limit_observed = 0;
};

// Whether a set-up that failed after START failed by the client's doing: the kernel would not execute its
// file, its arguments are too large for the kernel, or its files are for the disk. No other sandbox would do
// better.
bool IsClientsFault(const ipc::SetupError& error);

// Precedence, highest first: set-up failure; an OOM kill (counter or event); a violation or the denial rate;
// the first cause of ours (wall, CPU, sockets, cancel, shutdown, lost init); a CPU time at or above its limit
// seen only at the end; signal; exit. kCompileFailed only for the compile step that exits non-zero.
Decision Decide(const Evidence& evidence);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_VERDICT_H_
