// Run, between a compile step and its run step: the bundle of the latter is completed, in small pieces. On
// the I/O thread. Names and content of what the compiler made are as hostile as its source.
#include <spdlog/spdlog.h>

#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/convert.h"
#include "dispatcher/run.h"

namespace caisson::dispatcher {

void Run::AfterCompileStep() {
  if (cancel_reason_.has_value()) {
    // It came too late for the compile step, not for the run.
    ConcludeBetweenSteps(CanceledOutcome(*cancel_reason_));
    return;
  }
  if (host_.link().lost()) {
    // Nobody told this run: its compile step had ended already, but for its pipes.
    ConcludeBetweenSteps(FailedOutcome("the supervisor is gone"));
    return;
  }
  StepOutcome& compiled = outcome_.steps.back();
  compiled.problem = spec_.compile->next->Problem();
  if (!compiled.problem.empty()) {
    outcome_.outputs.refusals = spec_.compile->next->refusals().refusals;
    outcome_.outputs.unlisted_refusals = spec_.compile->next->refusals().unlisted_refusals;
    Conclude();
    return;
  }
  bundle_timer_ = loop_.At(MonotonicNanos(), [this] { ContinueRunBundle(); });
}

void Run::ContinueRunBundle() {
  bundle_timer_ = 0;
  RunBundle& next = *spec_.compile->next;
  const absl::StatusOr<bool> more = next.AddSomeInputs();
  if (more.ok() && *more) {
    bundle_timer_ = loop_.At(MonotonicNanos(), [this] { ContinueRunBundle(); });
    return;
  }
  absl::StatusOr<UniqueFd> bundle = more.ok() ? next.Seal() : absl::StatusOr<UniqueFd>(more.status());
  if (absl::IsResourceExhausted(bundle.status())) {
    outcome_.steps.back().problem =
        "the request's files and what the compiler made are together larger than 272 MiB";
    Conclude();
    return;
  }
  if (!bundle.ok()) {
    spdlog::error("run {}: {}", RunName(spec_.id), Message(bundle.status()));
    ConcludeBetweenSteps(FailedOutcome("the compiled program could not be stored"));
    return;
  }
  spec_.bundle = std::move(*bundle);
  spec_.compile->next.reset();
  BeginRunStep();
}

void Run::ConcludeBetweenSteps(const StepOutcome& outcome) {
  loop_.Cancel(std::exchange(bundle_timer_, 0));
  outcome_.steps.push_back(outcome);
  Conclude();
}

}  // namespace caisson::dispatcher
