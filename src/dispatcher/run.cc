#include "dispatcher/run.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "common/utf8.h"
#include "dispatcher/convert.h"

namespace caisson::dispatcher {
namespace {

// Of a `finished` that is handed over with the end of its call.
constexpr size_t kMostLastBytes = 16UL * 1024;

}  // namespace

Run::Run(RunHost& host, RunKey key, RunSpec spec, std::shared_ptr<ClientStream> client)
    : host_(host),
      loop_(host.loop()),
      key_(key),
      spec_(std::move(spec)),
      client_(std::move(client)),
      input_(loop_, std::move(spec_.input),
             {[this](int signal_number) { Signal(signal_number); },
              [this] { Cancel(ipc::CancelReason::kClient); }, [this] { AskForInput(); }}),
      files_([this](v1::RunEvent event) { Push(Lane::kFiles, std::move(event)); }) {
  outcome_.outputs_asked_for = spec_.collects;
}

Run::~Run() {
  loop_.Cancel(delivery_timer_);
  loop_.Cancel(bundle_timer_);
}

StepRun* Run::FindStep(ipc::SandboxId sandbox) {
  return step_ != nullptr && step_->sandbox() == sandbox ? step_.get() : nullptr;
}

// --- The queue
// ----------------------------------------------------------------------------------------------------

void Run::TellPosition(uint32_t position) {
  if (state_ != State::kQueued || position == told_position_ || !events_out_.empty() ||
      events_out_.writing()) {
    return;
  }
  told_position_ = position;
  Push(Lane::kControl, QueuedEvent(position));
}

void Run::Refuse(const grpc::Status& status) {
  CAISSON_CHECK(state_ == State::kQueued);
  events_out_.Clear();
  if (client_ != nullptr && events_out_.writing()) {
    // The word about its place is still on the way; OnWritten would come too late for a status.
    refusal_ = status;
    return;
  }
  if (client_ != nullptr) {
    std::exchange(client_, nullptr)->Finish(status);
  }
  End();
}

// --- The steps
// ----------------------------------------------------------------------------------------------------

void Run::Admit(bool leaves_last) {
  CAISSON_CHECK(state_ == State::kQueued);
  leaves_last_ = leaves_last;
  admitted_ = true;
  place_held_ = true;
  outcome_.queue_ns = MonotonicNanos() - spec_.received_ns;
  state_ = State::kActive;
  host_.OnState(key_, v1::Run::PREPARING);
  if (spec_.compile.has_value()) {
    BeginCompileStep();
  } else {
    BeginRunStep();
  }
  Push(Lane::kControl, AcceptedEvent(RunName(spec_.id)));
}

void Run::BeginCompileStep() {
  StepSpec step;
  step.step = ipc::Step::kCompile;
  step.limits = spec_.compile->limits;
  step.outputs = spec_.compile->next.get();
  BeginStep(std::move(step));
}

void Run::BeginRunStep() {
  StepSpec step;
  step.step = ipc::Step::kRun;
  step.limits = spec_.limits;
  step.output_limit_kills = spec_.overflow == OutputOverflow::kKill;
  step.tty = input_.has_terminal();
  step.outputs = spec_.collects ? &files_ : nullptr;
  BeginStep(std::move(step));
  for (int number = 1; number < 64; ++number) {
    if ((early_signals_ >> static_cast<unsigned>(number) & 1U) != 0) {
      step_->Signal(number);
    }
  }
}

void Run::BeginStep(StepSpec step) {
  step.sandbox = SandboxOf(step.step);
  step.run_id = spec_.id;
  step.profile = spec_.profile;
  step.leaves_last = leaves_last_;
  step.bundle = std::move(spec_.bundle);
  sandbox_gone_ = false;
  loop_.Cancel(std::exchange(delivery_timer_, 0));
  // The step before it, if any, has ended and is not on the stack: a timer brought us here.
  step_ = std::make_unique<StepRun>(host_, *this, std::move(step));
  step_->Prepare();
}

absl::Status Run::TakeStdin(UniqueFd pipe) {
  // Standard input is the program's; for a compiler it is at its end.
  return compiling() ? absl::OkStatus() : input_.Take(std::move(pipe));
}

void Run::Signal(int signal_number) {
  if (step_ != nullptr && step_->outcome().step == ipc::Step::kRun) {
    step_->Signal(signal_number);
  } else {
    early_signals_ |= uint64_t{1} << static_cast<unsigned>(signal_number);
  }
}

void Run::OnStarted(const ipc::IsolationReport& isolation) {
  if (!compiling()) {
    ReleaseBundle();
  }
  host_.OnState(key_, v1::Run::RUNNING);
  Push(Lane::kControl, StartedEvent(isolation));
}

void Run::OnOutput(Lane lane, uint64_t offset, std::string data) {
  if (compiling()) {
    diagnostics_.append(data, 0, kMaxDiagnosticsBytes - diagnostics_.size());
  }
  Push(lane, OutputEvent(step_->outcome().step, lane == Lane::kStdout ? v1::STREAM_STDOUT : v1::STREAM_STDERR,
                         offset, std::move(data)));
}

void Run::OnDenial(const wire::Event& event) {
  Push(Lane::kControl, DenialEvent(step_->outcome().step, event));
}

void Run::OnSandboxGone() {
  sandbox_gone_ = true;
  ArmDeliveryTimer();
  if (compiling() && IsSuccess(step_->outcome().finished)) {
    return;  // The place is for the run step, too.
  }
  input_.Close();  // What is left of it is of no use to anybody.
  ReleasePlace();
}

void Run::OnStepEnded() {
  outcome_.steps.push_back(step_->outcome());
  if (compiling()) {
    outcome_.steps.back().diagnostics = ReplaceInvalidUtf8(std::exchange(diagnostics_, {}));
  }
  if (step_->outcome().started) {  // Its `started` was told.
    Push(Lane::kControl, StepFinishedEvent(step_->outcome()));
  }
  if (compiling() && IsSuccess(step_->outcome().finished)) {
    AfterCompileStep();
  } else {
    Conclude();
  }
}

// --- The end
// ------------------------------------------------------------------------------------------------------

void Run::Cancel(ipc::CancelReason reason) {
  if (refusal_.has_value()) {
    return;
  }
  if (state_ == State::kActive) {
    if (!cancel_reason_.has_value()) {
      cancel_reason_ = reason;
    }
    if (bundle_timer_ != 0) {
      ConcludeBetweenSteps(CanceledOutcome(reason));
    } else {
      step_->Cancel(reason);
    }
  } else if (state_ == State::kQueued) {
    outcome_.queue_ns = MonotonicNanos() - spec_.received_ns;
    outcome_.steps.push_back(CanceledOutcome(reason));
    host_.OnLeftQueue(key_);
    host_.OnResult(key_, Result());
    Refuse(dispatcher::Refuse(Reason::kRunCanceled, "the run was canceled before it started"));
  }
}

void Run::OnSupervisorLost() {
  if (state_ != State::kActive) {
    return;
  }
  if (bundle_timer_ != 0) {
    ConcludeBetweenSteps(FailedOutcome("the supervisor is gone"));
  } else {
    step_->OnSupervisorLost();
  }
}

v1::RunResult Run::Result() const {
  v1::RunResult result = ResultToProto(outcome_);
  if (!spec_.decision.id.empty()) {
    result.mutable_decision()->set_id(spec_.decision.id);
    result.mutable_decision()->set_rule(spec_.decision.rule);
    result.mutable_decision()->set_policy_digest(spec_.decision.policy_digest);
  }
  return result;
}

void Run::Conclude() {
  ReleasePlace();
  ArmDeliveryTimer();
  spec_.compile.reset();
  if (outcome_.steps.back().step == ipc::Step::kRun) {
    outcome_.outputs = files_.Take();
  }
  const v1::RunResult result = Result();
  state_ = State::kDelivering;
  host_.OnResult(key_, result);
  Push(Lane::kControl, FinishedEvent(result));
}

// The sandbox has it now, and unpacks it into memory of its own.
void Run::ReleaseBundle() {
  spec_.upload.GiveBack();
  if (const uint64_t bytes = std::exchange(spec_.bundle_bytes, 0); bytes != 0) {
    host_.OnMemoryFree(key_, bytes);
  }
}

void Run::ReleasePlace() {
  spec_.upload.GiveBack();
  if (std::exchange(place_held_, false)) {
    host_.OnSandboxFree(key_);
  }
}

void Run::ArmDeliveryTimer() {
  loop_.Cancel(delivery_timer_);
  delivery_timer_ =
      loop_.At(MonotonicNanos() + kDeliveryTimeoutMs * kNanosPerMilli, [this] { OnDeliveryTimeout(); });
}

void Run::OnDeliveryTimeout() {
  if (client_ != nullptr) {
    spdlog::warn("run {}: the client took nothing for {} ms after its end and is cut off", RunName(spec_.id),
                 kDeliveryTimeoutMs);
    std::exchange(client_, nullptr)->Abort();
    OnGone(GoneReason::kDisconnected);
    return;
  }
  // No client holds us up, so a pipe is still open somewhere although every process of the sandbox is dead.
  step_->GiveUpPipes();
}

// --- The client
// ---------------------------------------------------------------------------------------------------

void Run::Push(Lane lane, v1::RunEvent event) {
  if (client_ != nullptr) {
    events_out_.Push(lane, std::move(event));
  }
  WriteNext();
}

void Run::WriteNext() {
  if (state_ == State::kEnded || events_out_.writing()) {
    return;
  }
  if (client_ != nullptr && !events_out_.empty()) {
    const v1::RunEvent event = events_out_.TakeNext();
    if (event.has_finished() && event.ByteSizeLong() <= kMostLastBytes) {
      // gRPC has it now, and keeps it for as long as the client likes: so only where it is small.
      std::exchange(client_, nullptr)->WriteLast(event);
      return End();
    }
    // What is followed by another event in a moment, whatever happens, wakes nobody for itself.
    client_->Write(
        event, event.has_step_finished() ? ClientStream::Leaves::kWithNext : ClientStream::Leaves::kAtOnce);
    return;
  }
  if (state_ == State::kDelivering) {
    if (client_ != nullptr) {
      std::exchange(client_, nullptr)->Finish(grpc::Status::OK);
    }
    End();
  }
}

void Run::OnWritten() {
  events_out_.Written();
  if (refusal_.has_value()) {
    const grpc::Status status = *std::exchange(refusal_, std::nullopt);
    Refuse(status);
    return;
  }
  if (sandbox_gone_) {
    ArmDeliveryTimer();
  }
  if (state_ == State::kActive) {
    step_->Resume();
  }
  WriteNext();
}

void Run::OnInput(const v1::InteractRequest& message) {
  // What crosses the end of its run is no mistake of the client's.
  const std::string complaint = over() ? "" : input_.Accept(message);
  if (!complaint.empty()) {
    return RefuseInput(complaint);
  }
  wants_input_ = true;
  AskForInput();
}

void Run::OnInputEnd() { input_.OnInputEnd(); }

void Run::AskForInput() {
  if (wants_input_ && client_ != nullptr && (over() || input_.HasRoom())) {
    wants_input_ = false;
    client_->ReadNext();
  }
}

// Before the run is admitted a status can say it; afterwards the stream must end with a result.
void Run::RefuseInput(const std::string& complaint) {
  if (state_ == State::kQueued) {
    if (!refusal_.has_value()) {
      host_.OnLeftQueue(key_);
      Refuse(dispatcher::Refuse(Reason::kInputOutOfOrder, complaint));
    }
    return;
  }
  outcome_.input_complaint = complaint;
  Cancel(ipc::CancelReason::kClient);
}

void Run::OnGone(GoneReason reason) {
  client_ = nullptr;
  events_out_.Clear();
  if (events_out_.writing()) {
    events_out_.Written();
  }
  if (refusal_.has_value()) {
    End();
    return;
  }
  if (sandbox_gone_) {
    ArmDeliveryTimer();
  }
  Cancel(reason == GoneReason::kDeadline ? ipc::CancelReason::kDeadline : ipc::CancelReason::kDisconnected);
  if (state_ == State::kActive) {
    step_->DiscardOutput();
  }
  WriteNext();
}

void Run::End() {
  if (state_ != State::kEnded) {
    loop_.Cancel(delivery_timer_);
    delivery_timer_ = 0;
    state_ = State::kEnded;
    host_.OnEnded(key_);
  }
}

}  // namespace caisson::dispatcher
