#include "dispatcher/step_run.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>

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

StepRun::StepRun(RunHost& host, StepOwner& owner, StepSpec spec)
    : host_(host), loop_(host.loop()), owner_(owner), spec_(std::move(spec)) {
  outcome_.step = spec_.step;
}

StepRun::~StepRun() { CloseEvents(); }

// --- Up to the start
// ----------------------------------------------------------------------------------------------

void StepRun::Prepare() {
  CAISSON_CHECK(state_ == State::kNew);
  state_ = State::kStarting;
  auto prepare = ipc::Make<ipc::Prepare>();
  prepare.sandbox = spec_.sandbox;
  CAISSON_CHECK(ipc::SetText(prepare.profile, spec_.profile));
  prepare.step = spec_.step;
  prepare.tty = spec_.tty ? 1 : 0;
  prepare.leaves_last = spec_.leaves_last ? 1 : 0;
  prepare.disk_bytes = spec_.limits.Get(policy::LimitId::kDiskBytes);
  prepare.inode_count = spec_.limits.Get(policy::LimitId::kInodeCount);
  host_.link().Send(prepare);
  // caissond keeps it until the sandbox is ready, so nobody waits for an answer to go there and back.
  SendStart();
}

void StepRun::OnPrepared(const ipc::Prepared& message, std::vector<UniqueFd> fds) {
  if (state_ != State::kStarting || std::exchange(prepared_, true)) {
    return;
  }
  outcome_.setup_ns = message.setup_ns;
  host_.OnSandbox(message.from_pool != 0);
  outcome_.isolation = message.isolation;
  if (message.isolation.learning != 0) {
    decoder_.ExpectObserved();
  }
  if (const absl::Status status = OpenPipes(std::move(fds)); !status.ok()) {
    OnPipesFailed(status);
  } else if (discards_) {
    DiscardOutput();
  }
}

void StepRun::OnPipesFailed(const absl::Status& status) {
  spdlog::error("run {}: {}", RunName(spec_.run_id), Message(status));
  outcome_.detail = "the pipes to the sandbox cannot be used";
  failed_here_ = true;
  ClosePipes();
  SendCancel(ipc::CancelReason::kShutdown, 0, 0, 0);
}

absl::Status StepRun::OpenPipes(std::vector<UniqueFd> fds) {
  const auto take = [&fds](ipc::PreparedFd which) { return std::move(fds.at(static_cast<size_t>(which))); };
  stdout_ = MakePump(Lane::kStdout);
  stderr_ = MakePump(Lane::kStderr);
  events_in_ = take(ipc::PreparedFd::kEvents);
  RETURN_IF_ERROR(stdout_->Start(take(ipc::PreparedFd::kStdout)));
  RETURN_IF_ERROR(stderr_->Start(take(ipc::PreparedFd::kStderr)));
  RETURN_IF_ERROR(owner_.TakeStdin(take(ipc::PreparedFd::kStdin)));
  if (spec_.outputs != nullptr) {
    collector_ = std::make_unique<OutputCollector>(
        loop_, host_.pump_resources().scratch, *spec_.outputs,
        OutputCollector::Handlers{[this] { return owner_.HasRoom(Lane::kFiles); },
                                  [this] { EndIfDrained(); }});
    RETURN_IF_ERROR(collector_->Start(take(ipc::PreparedFd::kOutputs)));
  }
  return fcntl(events_in_.get(), F_SETFL, O_NONBLOCK) == 0
             ? absl::OkStatus()
             : ErrnoStatus(errno, "make the events pipe non-blocking");
}

void StepRun::SendStart() {
  auto start = ipc::Make<ipc::Start>();
  start.sandbox = spec_.sandbox;
  start.run_id = spec_.run_id;
  start.limits = ToStartLimits(spec_.limits);
  start.collect_ms = spec_.outputs == nullptr ? 0 : kCollectMs;
  host_.link().Send(start, std::move(spec_.bundle));
}

void StepRun::OnStarted(const ipc::Started& message) {
  if (state_ != State::kStarting) {
    return;
  }
  outcome_.isolation = message.isolation;
  outcome_.started = true;
  state_ = State::kRunning;
  owner_.OnStarted(message.isolation);
  for (int number = 1; number < 64; ++number) {
    if ((early_signals_ >> static_cast<unsigned>(number) & 1U) != 0) {
      SendSignal(number);
    }
  }
  BeginReading();
}

void StepRun::OnPrepareFailed(const ipc::PrepareFailed& message) {
  if (state_ == State::kStarting && !prepared_) {
    FailWithoutSandbox(message.refusal, message.error, std::string(ipc::Text(message.message)));
  }
}

void StepRun::OnStartRefused(const ipc::StartRefused& message) {
  if (state_ == State::kStarting) {
    FailWithoutSandbox(message.refusal, message.error, std::string(ipc::Text(message.message)));
  }
}

// --- What comes out of the sandbox
// --------------------------------------------------------------------------------

// Once `started` is told, or will never be: again and again without harm.
void StepRun::BeginReading() {
  Resume();
  if (!events_in_.valid() || events_watched_) {
    return;
  }
  events_watched_ = true;
  const absl::Status status =
      loop_.Watch(events_in_.get(), EPOLLIN, [this](uint32_t /*events*/) { OnEventsReady(); });
  if (!status.ok()) {
    OnPipesFailed(status);
  }
}

std::unique_ptr<OutputPump> StepRun::MakePump(Lane lane) {
  OutputPump::Handlers handlers;
  // A quick program's output can overtake STARTED on its way through caissond; the client hears `started`
  // first.
  handlers.has_room = [this, lane] { return state_ != State::kStarting && owner_.HasRoom(lane); };
  handlers.on_data = [this, lane](uint64_t offset, std::string data) {
    owner_.OnOutput(lane, offset, std::move(data));
  };
  handlers.on_limit = [this, lane] { OnOutputLimit(lane); };
  handlers.on_end = [this] {
    ResumeCollector();
    EndIfDrained();
  };
  return std::make_unique<OutputPump>(loop_, host_.pump_resources(),
                                      spec_.limits.Get(policy::LimitId::kOutputBytes), std::move(handlers));
}

void StepRun::OnEventsReady() {
  std::array<std::byte, 4096> buffer{};
  const ssize_t got = read(events_in_.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  std::vector<wire::Event> events;
  const absl::Status status =
      got > 0 ? decoder_.Feed(std::span(buffer).first(static_cast<size_t>(got)), events) : decoder_.Finish();
  for (const wire::Event& event : events) {
    OnEvent(event);
  }
  if (!status.ok()) {
    spdlog::warn("run {}: its events are broken: {}", RunName(spec_.run_id), Message(status));
  }
  if (got <= 0 || !status.ok()) {
    CloseEvents();
    EndIfDrained();
  }
}

// The decoder bounds the number of each kind.
void StepRun::OnEvent(const wire::Event& event) {
  if (event.type == wire::EventType::kObserved) {
    outcome_.observed.push_back(event);
  } else if (event.type == wire::EventType::kOtherObserved) {
    outcome_.observed_unlisted = event.count;
  } else {
    outcome_.denials.Add(event);
  }
  if (event.type == wire::EventType::kDenial) {
    owner_.OnDenial(event);
  }
}

void StepRun::OnOutputLimit(Lane lane) {
  if (spec_.output_limit_kills) {
    const OutputPump& pump = lane == Lane::kStdout ? *stdout_ : *stderr_;
    if (over_limit_ == nullptr) {
      over_limit_ = &pump;
    }
    SendCancel(ipc::CancelReason::kOutputLimit, lane == Lane::kStdout ? 1 : 2,
               spec_.limits.Get(policy::LimitId::kOutputBytes), pump.count().bytes);
  }
}

void StepRun::Resume() {
  for (OutputPump* pump : {stdout_.get(), stderr_.get()}) {
    if (pump != nullptr && !pump->ended()) {
      pump->Resume();
    }
  }
  ResumeCollector();
}

// Files come after the last output, also where a slow client has left output in the pipes.
void StepRun::ResumeCollector() {
  if (collector_ != nullptr && !collector_->ended() && stdout_->ended() && stderr_->ended()) {
    collector_->Resume();
  }
}

void StepRun::DiscardOutput() {
  discards_ = true;
  for (OutputPump* pump : {stdout_.get(), stderr_.get()}) {
    if (pump != nullptr && !pump->ended()) {
      pump->Discard();
    }
  }
  if (collector_ != nullptr) {
    collector_->Close();
  }
  EndIfDrained();
}

void StepRun::CloseEvents() {
  if (events_in_.valid()) {
    loop_.Unwatch(events_in_.get());
    events_in_.reset();
  }
}

void StepRun::ClosePipes() {
  for (OutputPump* pump : {stdout_.get(), stderr_.get()}) {
    if (pump != nullptr) {
      pump->Close();
    }
  }
  if (collector_ != nullptr) {
    collector_->Close();
  }
  CloseEvents();
}

void StepRun::GiveUpPipes() {
  spdlog::error("run {}: its pipes did not end with its sandbox", RunName(spec_.run_id));
  ClosePipes();
  EndIfDrained();
}

// --- The end
// ------------------------------------------------------------------------------------------------------

void StepRun::Cancel(ipc::CancelReason reason) { SendCancel(reason, 0, 0, 0); }

void StepRun::Signal(int signal_number) {
  if (state_ == State::kRunning) {
    SendSignal(signal_number);
  } else {
    early_signals_ |= uint64_t{1} << static_cast<unsigned>(signal_number);
  }
}

void StepRun::SendSignal(int signal_number) { host_.link().SendSignal(spec_.sandbox, signal_number); }

void StepRun::SendCancel(ipc::CancelReason reason, uint32_t detail, uint64_t limit, uint64_t observed) {
  if (!live() || outcome_.cancel_reason.has_value()) {
    return;
  }
  outcome_.cancel_reason = reason;
  auto cancel = ipc::Make<ipc::Cancel>();
  cancel.sandbox = spec_.sandbox;
  cancel.reason = reason;
  cancel.detail = detail;
  cancel.limit = limit;
  cancel.observed = observed;
  host_.link().Send(cancel);
}

void StepRun::OnSupervisorLost() {
  if (live()) {
    FailWithoutSandbox(ipc::Refusal::kCapacity, ipc::SetupError{}, "the supervisor is gone");
  }
}

void StepRun::FailWithoutSandbox(ipc::Refusal refusal, const ipc::SetupError& error,
                                 const std::string& detail) {
  outcome_.detail = detail;
  ClosePipes();  // There is nobody at their other ends whose output could matter.
  BeginDraining(RefusedOutcome(refusal, error));
}

void StepRun::OnFinished(const ipc::Finished& message) {
  if (live()) {
    BeginDraining(message);
  }
}

void StepRun::BeginDraining(const ipc::Finished& message) {
  outcome_.finished = message;
  state_ = State::kDraining;
  host_.link().ForgetSignals(spec_.sandbox);
  BeginReading();
  if (failed_here_) {
    outcome_.finished.verdict = ipc::Verdict::kServiceFailed;
    outcome_.finished.ended_by = ipc::Actor::kService;
  }
  spec_.bundle.reset();
  owner_.OnSandboxGone();
  EndIfDrained();
}

// A program can end by itself between its last write and our reading of it. What it printed decides, not who
// was faster.
void StepRun::HoldToOutputLimit() {
  ipc::Finished& finished = outcome_.finished;
  const bool by_itself = finished.verdict == ipc::Verdict::kCompleted ||
                         finished.verdict == ipc::Verdict::kSignaled ||
                         finished.verdict == ipc::Verdict::kCompileFailed;
  if (over_limit_ == nullptr || !by_itself) {
    return;
  }
  finished.verdict = ipc::Verdict::kOutputLimit;
  finished.ended_by = ipc::Actor::kSupervisor;
  finished.limit = ipc::LimitName::kOutput;
  finished.limit_value = spec_.limits.Get(policy::LimitId::kOutputBytes);
  finished.limit_observed = over_limit_->count().bytes;
}

void StepRun::EndIfDrained() {
  const auto drained = [](const auto& pump) { return pump == nullptr || pump->ended(); };
  if (state_ != State::kDraining || !drained(stdout_) || !drained(stderr_) || !drained(collector_) ||
      events_in_.valid()) {
    return;
  }
  state_ = State::kEnded;
  if (stdout_ != nullptr) {
    outcome_.stdout_count = stdout_->count();
    outcome_.stderr_count = stderr_->count();
  }
  HoldToOutputLimit();
  if (collector_ != nullptr && !collector_->violation().ok()) {
    spdlog::warn("run {}: its output files are broken: {}", RunName(spec_.run_id),
                 Message(collector_->violation()));
  }
  owner_.OnStepEnded();
}

}  // namespace caisson::dispatcher
