// Everything that is known about a run at its end, as plain values; convert.h makes the RunResult of it.
#ifndef CAISSON_DISPATCHER_RUN_OUTCOME_H_
#define CAISSON_DISPATCHER_RUN_OUTCOME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "dispatcher/output_pump.h"
#include "ipc/messages.h"

namespace caisson::dispatcher {

struct RunOutcome {
  // caissond's word, or ours in the same form when there was no sandbox (see FailedOutcome).
  ipc::Finished finished{};
  std::string detail;  // caissond's sentence on a refusal; empty: none
  std::optional<ipc::CancelReason> cancel_reason;
  std::optional<ipc::IsolationReport> isolation;
  std::vector<v1::Denial> denials;
  OutputCount stdout_count;
  OutputCount stderr_count;
  int64_t queue_ns = 0;
  uint64_t setup_ns = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_OUTCOME_H_
