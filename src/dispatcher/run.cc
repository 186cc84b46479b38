#include "dispatcher/run.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/convert.h"
#include "ipc/codec.h"

namespace caisson::dispatcher {
namespace {

ipc::StartLimits ToStartLimits(const policy::Limits& limits) {
  using policy::LimitId;
  ipc::StartLimits result{};
  result.wall_time_ms = limits.Get(LimitId::kWallTimeMs);
  result.cpu_time_ms = limits.Get(LimitId::kCpuTimeMs);
  result.memory_bytes = limits.Get(LimitId::kMemoryBytes);
  result.pids = limits.Get(LimitId::kPids);
  result.open_files = limits.Get(LimitId::kOpenFiles);
  result.file_size_bytes = limits.Get(LimitId::kFileSizeBytes);
  result.stack_bytes = limits.Get(LimitId::kStackBytes);
  result.cpu_millis = limits.Get(LimitId::kCpuMillis);
  return result;
}

}  // namespace

Run::Run(RunHost& host, RunKey key, RunSpec spec, std::shared_ptr<ClientStream> client)
    : host_(host), loop_(host.loop()), key_(key), spec_(std::move(spec)), client_(std::move(client)) {}

Run::~Run() {
  loop_.Cancel(delivery_timer_);
  CloseEvents();
}

void Run::SetState(State state) {
  state_ = state;
  switch (state) {
    case State::kPreparing:
    case State::kStarting:
      host_.OnState(key_, v1::Run::PREPARING);
      break;
    case State::kRunning:
      host_.OnState(key_, v1::Run::RUNNING);
      break;
    default:
      break;
  }
}

// --- Before the sandbox
// -------------------------------------------------------------------------------------------

void Run::TellPosition(uint32_t position) {
  if (state_ != State::kQueued || position == told_position_ || !events_out_.empty() ||
      events_out_.writing()) {
    return;
  }
  told_position_ = position;
  Push(Lane::kControl, QueuedEvent(position));
}

void Run::Admit() {
  CAISSON_CHECK(state_ == State::kQueued);
  admitted_ = true;
  outcome_.queue_ns = MonotonicNanos() - spec_.received_ns;
  SetState(State::kPreparing);
  auto prepare = ipc::Make<ipc::Prepare>();
  prepare.sandbox = key_;
  CAISSON_CHECK(ipc::SetText(prepare.profile, spec_.profile));
  prepare.step = ipc::Step::kRun;
  prepare.disk_bytes = spec_.limits.Get(policy::LimitId::kDiskBytes);
  prepare.inode_count = spec_.limits.Get(policy::LimitId::kInodeCount);
  host_.link().Send(prepare);
  Push(Lane::kControl, AcceptedEvent(RunName(spec_.id)));
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

void Run::OnPrepared(const ipc::Prepared& message, std::vector<UniqueFd> fds) {
  if (state_ != State::kPreparing) {
    return;
  }
  outcome_.setup_ns = message.setup_ns;
  outcome_.isolation = message.isolation;
  if (outcome_.cancel_reason.has_value()) {
    return;  // Canceled meanwhile: no START, FINISHED follows. The descriptors close here.
  }
  stdin_ = std::make_unique<StdinWriter>(loop_, std::move(spec_.stdin_data));
  stdout_ = MakePump(Lane::kStdout);
  stderr_ = MakePump(Lane::kStderr);
  events_in_ = std::move(fds.at(static_cast<size_t>(ipc::PreparedFd::kEvents)));
  absl::Status status = stdout_->Start(std::move(fds.at(static_cast<size_t>(ipc::PreparedFd::kStdout))));
  status.Update(stderr_->Start(std::move(fds.at(static_cast<size_t>(ipc::PreparedFd::kStderr)))));
  status.Update(stdin_->Start(std::move(fds.at(static_cast<size_t>(ipc::PreparedFd::kStdin)))));
  if (fcntl(events_in_.get(), F_SETFL, O_NONBLOCK) != 0) {
    status.Update(ErrnoStatus(errno, "make the events pipe non-blocking"));
  }
  if (!status.ok()) {
    OnPipesFailed(status);
    return;
  }
  SendStart();
}

void Run::OnPipesFailed(const absl::Status& status) {
  spdlog::error("run {}: {}", RunName(spec_.id), Message(status));
  outcome_.detail = "the pipes to the sandbox cannot be used";
  failed_here_ = true;
  ClosePipes();
  SendCancel(ipc::CancelReason::kShutdown, 0, 0, 0);
}

void Run::SendStart() {
  SetState(State::kStarting);
  auto start = ipc::Make<ipc::Start>();
  start.sandbox = key_;
  start.run_id = spec_.id;
  start.limits = ToStartLimits(spec_.limits);
  host_.link().Send(start, std::move(spec_.bundle));
}

void Run::OnStarted(const ipc::Started& message) {
  if (state_ != State::kStarting) {
    return;
  }
  outcome_.isolation = message.isolation;
  SetState(State::kRunning);
  Push(Lane::kControl, StartedEvent(message.isolation));
  BeginReading();
}

void Run::OnPrepareFailed(const ipc::PrepareFailed& message) {
  if (state_ == State::kPreparing) {
    FailWithoutSandbox(message.refusal, message.error, std::string(ipc::Text(message.message)));
  }
}

void Run::OnStartRefused(const ipc::StartRefused& message) {
  if (state_ == State::kStarting) {
    FailWithoutSandbox(message.refusal, message.error, std::string(ipc::Text(message.message)));
  }
}

// --- The end
// ------------------------------------------------------------------------------------------------------

void Run::Cancel(ipc::CancelReason reason) {
  if (refusal_.has_value()) {
    return;
  }
  if (state_ == State::kQueued) {
    outcome_.cancel_reason = reason;
    outcome_.finished = CanceledInQueue();
    outcome_.queue_ns = MonotonicNanos() - spec_.received_ns;
    host_.OnLeftQueue(key_);
    host_.OnResult(key_, ResultToProto(outcome_));
    Refuse(dispatcher::Refuse(Reason::kRunCanceled, "the run was canceled before it started"));
    return;
  }
  SendCancel(reason, 0, 0, 0);
}

void Run::SendCancel(ipc::CancelReason reason, uint32_t detail, uint64_t limit, uint64_t observed) {
  const bool live = state_ == State::kPreparing || state_ == State::kStarting || state_ == State::kRunning;
  if (!live || outcome_.cancel_reason.has_value()) {
    return;
  }
  outcome_.cancel_reason = reason;
  auto cancel = ipc::Make<ipc::Cancel>();
  cancel.sandbox = key_;
  cancel.reason = reason;
  cancel.detail = detail;
  cancel.limit = limit;
  cancel.observed = observed;
  host_.link().Send(cancel);
}

void Run::OnOutputLimit(Lane lane) {
  if (spec_.overflow == OutputOverflow::kKill) {
    const OutputPump& pump = lane == Lane::kStdout ? *stdout_ : *stderr_;
    SendCancel(ipc::CancelReason::kOutputLimit, lane == Lane::kStdout ? 1 : 2,
               spec_.limits.Get(policy::LimitId::kOutputBytes), pump.count().bytes);
  }
}

void Run::OnSupervisorLost() {
  if (state_ == State::kPreparing || state_ == State::kStarting || state_ == State::kRunning) {
    FailWithoutSandbox(ipc::Refusal::kCapacity, ipc::SetupError{}, "the supervisor is gone");
  }
}

void Run::FailWithoutSandbox(ipc::Refusal refusal, const ipc::SetupError& error, const std::string& detail) {
  outcome_.detail = detail;
  ClosePipes();  // There is nobody at their other ends whose output could matter.
  BeginDraining(RefusedOutcome(refusal, error));
}

void Run::OnFinished(const ipc::Finished& message) {
  if (state_ == State::kPreparing || state_ == State::kStarting || state_ == State::kRunning) {
    BeginDraining(message);
  }
}

void Run::BeginDraining(const ipc::Finished& message) {
  outcome_.finished = message;
  SetState(State::kDraining);
  BeginReading();
  if (failed_here_) {
    outcome_.finished.verdict = ipc::Verdict::kServiceFailed;
    outcome_.finished.ended_by = ipc::Actor::kService;
  }
  DropContent();
  ArmDeliveryTimer();
  host_.OnSandboxFree(key_);
  CompleteIfDrained();
}

// What the client sent is of no use once there is no sandbox to give it to.
void Run::DropContent() {
  spec_.bundle.reset();
  std::string().swap(spec_.stdin_data);
  stdin_.reset();
}

void Run::CompleteIfDrained() {
  const auto drained = [](const std::unique_ptr<OutputPump>& pump) {
    return pump == nullptr || pump->ended();
  };
  if (state_ != State::kDraining || !drained(stdout_) || !drained(stderr_) || events_in_.valid()) {
    return;
  }
  if (stdout_ != nullptr) {
    outcome_.stdout_count = stdout_->count();
    outcome_.stderr_count = stderr_->count();
  }
  outcome_.denials = denials_.Summary();
  const v1::RunResult result = ResultToProto(outcome_);
  SetState(State::kDelivering);
  host_.OnResult(key_, result);
  Push(Lane::kControl, FinishedEvent(result));
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
  spdlog::error("run {}: its pipes did not end with its sandbox", RunName(spec_.id));
  ClosePipes();
  CompleteIfDrained();
}

}  // namespace caisson::dispatcher
