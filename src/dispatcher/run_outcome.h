// Everything that is known about a run at its end, as plain values; convert.h makes the RunResult of it.
#ifndef CAISSON_DISPATCHER_RUN_OUTCOME_H_
#define CAISSON_DISPATCHER_RUN_OUTCOME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/denial_log.h"
#include "dispatcher/output_files.h"
#include "dispatcher/output_pump.h"
#include "ipc/messages.h"

namespace caisson::dispatcher {

struct StepOutcome {
  ipc::Step step = ipc::Step::kRun;
  // caissond's word, or ours in the same form when there was no sandbox (see RefusedOutcome).
  ipc::Finished finished{};
  std::string detail;  // caissond's sentence on a refusal; empty: none
  std::optional<ipc::CancelReason> cancel_reason;
  std::optional<ipc::IsolationReport> isolation;
  bool started = false;  // something of the client's may have run
  DenialLog denials;
  std::vector<wire::Event> observed;  // of a learning run; the decoder bounds their number
  uint64_t observed_unlisted = 0;     // calls that are in none of them
  OutputCount stdout_count;
  OutputCount stderr_count;
  uint64_t setup_ns = 0;
  std::string diagnostics;  // of a compile step: what it wrote, as text
  std::string problem;      // of a compile step that exited with 0: why its files cannot be handed on
};

// The step's program exited with 0.
inline bool IsSuccess(const ipc::Finished& finished) {
  return finished.verdict == ipc::Verdict::kCompleted && finished.exited != 0 && finished.exit_code == 0;
}

struct RunOutcome {
  int64_t queue_ns = 0;
  std::vector<StepOutcome> steps;  // in order; the last one decided. Not empty
  CollectedOutputs outputs;
  bool outputs_asked_for = false;
  std::string input_complaint;  // why an interactive client was cut off; empty: it was not
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_OUTCOME_H_
