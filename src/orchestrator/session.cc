// Run by caissond as root, in the event loop's thread. Untrusted input: init's fixed-size records (init
// answers a hostile payload and could one day be subverted), so each is checked for size, type and range.
#include "orchestrator/session.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "ipc/codec.h"
#include "orchestrator/attempt_log.h"
#include "orchestrator/cgroup_common.h"
#include "orchestrator/isolation_reader.h"
#include "orchestrator/isolation_report.h"
#include "sandbox/layers_outside.h"
#include "sandbox/setup_stage.h"

namespace caisson::orchestrator {
namespace {

using sandbox::SetupStage;

constexpr int64_t kWaitNanos = 60'000 * kNanosPerMilli;  // a prepared sandbox that nobody starts by then goes
constexpr int64_t kReportNanos = 2'000 * kNanosPerMilli;  // from the payload's end to init's

ipc::SetupError MakeError(SetupStage stage, uint32_t index, int error_number) {
  return {static_cast<uint32_t>(stage), index, error_number, 0};
}

// Whether anybody still wants the files of a run that ends for this.
bool IsWorthCollecting(EndCause cause, ipc::CancelReason reason) {
  return cause != EndCause::kShutdown && cause != EndCause::kInitLost &&
         (cause != EndCause::kCanceled || reason == ipc::CancelReason::kOutputLimit);
}

}  // namespace

Session::Session(EventLoop& loop, BuilderProcess& builder, SessionListener& listener, ipc::SandboxId id,
                 const StepPlan& plan, ipc::Step step, uint32_t accepted_degradations)
    : loop_(loop),
      builder_(builder),
      listener_(&listener),
      id_(id),
      plan_(plan),
      accepted_degradations_(accepted_degradations) {
  evidence_.step = step;
  evidence_.denials_per_second_limit = plan.denials_per_second;
}

Session::~Session() {
  StopWatching();
  loop_.Cancel(removal_timer_);
  builder_.Forget(order_);
}

void Session::Later(int64_t delay_nanos, EventLoop::TimerId& timer, void (Session::*method)()) {
  loop_.Cancel(timer);
  timer = loop_.At(MonotonicNanos() + delay_nanos, [this, method, &timer] {
    timer = 0;
    (this->*method)();
  });
}

void Session::OnSetupDeadline() {
  KillEverything();
  FailPreparation(MakeError(SetupStage::kDeadline, 0, ETIMEDOUT), "the sandbox was not ready in time");
}

void Session::OnControl(uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    static_cast<void>(loop_.Rewatch(sandbox_.control.get(), EPOLLIN));
    SendToInit();
  }
  absl::StatusOr<Packet> packet = ReceivePacket(sandbox_.control.get());
  const bool too_large = absl::IsInvalidArgument(packet.status());
  if (!packet.ok() && !too_large) {
    if (!absl::IsUnavailable(packet.status()) || (events & EPOLLHUP) != 0) {
      loop_.Unwatch(sandbox_.control.get());  // init closed it by ending; its pidfd tells the rest.
    }
    return;
  }
  std::optional<InitRecord> record = too_large ? std::nullopt : DecodeInitRecord(packet->bytes);
  if (!record || !Accept(*record, std::move(packet->fds))) {
    spdlog::error("sandbox {}: init broke the control protocol, or caissond has no descriptor left", id_);
    if (state_ == ipc::SandboxState::kPreparing) {
      KillEverything();
      return FailPreparation(MakeError(SetupStage::kInitProtocol, 0, 0),
                             sandbox::SetupStageText(static_cast<uint32_t>(SetupStage::kInitProtocol)));
    }
    End(EndCause::kInitLost);
  }
}

// False for a record that has no place in this state.
bool Session::Accept(const InitRecord& record, std::vector<UniqueFd> fds) {
  if (const auto* ready = std::get_if<sandbox::ReadyMessage>(&record)) {
    if ((state_ == ipc::SandboxState::kEnding || state_ == ipc::SandboxState::kNone) && !started_) {
      return true;  // Not wanted any more, while it was being built: what it says now interests nobody.
    }
    if (state_ != ipc::SandboxState::kPreparing || fds.size() != ipc::kPreparedFds) {
      return false;
    }
    OnReady(*ready, std::move(fds));
  } else if (const auto* failed = std::get_if<sandbox::FailedMessage>(&record)) {
    OnFailed(*failed);
  } else if (std::holds_alternative<sandbox::LockQuestionMessage>(record)) {
    if (!started_ || locks_timer_ != 0 || to_init_.has_answer()) {
      return false;  // One question at a time: each costs this process work.
    }
    if (state_ == ipc::SandboxState::kRunning) {
      Later(0, locks_timer_, &Session::CountLocks);
    }
  } else if (const auto* done = std::get_if<sandbox::DoneMessage>(&record)) {
    if (!started_ || evidence_.main_ended) {
      return false;
    }
    OnDone(*done);
  }
  return true;
}

void Session::OnReady(const sandbox::ReadyMessage& message, std::vector<UniqueFd> fds) {
  absl::Status status = FillIsolationReport(sandbox_, plan_, message, isolation_);
  isolation_.accepted_degradations = accepted_degradations_;
  SetupStage stage = SetupStage::kIsolationReport;
  // The gate of invariant 1: what is not in force ends the run here, before one untrusted instruction.
  if (status.ok() && sandbox::LayersBuiltIn().complete) {
    stage = SetupStage::kIsolationCheck;
    status = CheckIsolation(isolation_, {sandbox_.ids.payload_host_id, plan_.network, plan_.root});
  }
  if (status.ok() && sandbox_.cgroup->oom_event_fd() >= 0) {
    stage = SetupStage::kCgroup;
    status = loop_.Watch(sandbox_.cgroup->oom_event_fd(), EPOLLIN, [this](uint32_t) { OnOom(); });
  }
  if (!status.ok()) {
    spdlog::error("sandbox {}: {}: {}", id_, sandbox::SetupStageText(static_cast<uint32_t>(stage)),
                  Message(status));
    KillEverything();
    return FailPreparation(MakeError(stage, 0, 0), Message(status));
  }
  state_ = ipc::SandboxState::kPrepared;
  ArmWait();
  auto prepared = ipc::Make<ipc::Prepared>();
  prepared.sandbox = id_;
  prepared.setup_ns = static_cast<uint64_t>(MonotonicNanos() - prepare_ns_);
  prepared.isolation = isolation_;
  listener_->OnPrepared(*this, prepared, std::move(fds));
}

// One that is built ahead waits for as long as its pool likes.
void Session::ArmWait() {
  loop_.Cancel(setup_timer_);
  setup_timer_ = 0;
  if (id_ != 0) {
    Later(kWaitNanos, setup_timer_, &Session::KillEverything);
  }
}

void Session::Adopt(ipc::SandboxId id, SessionListener& listener) {
  CAISSON_CHECK(state_ == ipc::SandboxState::kPrepared && id_ == 0 && id != 0);
  id_ = id;
  listener_ = &listener;
  ArmWait();
}

void Session::OnFailed(const sandbox::FailedMessage& message) {
  const ipc::SetupError error = ToSetupError(message.record);
  // No warning for what a client causes.
  spdlog::log(started_ && IsClientsFault(error) ? spdlog::level::info : spdlog::level::warn,
              "sandbox {}: {} ({}): {}", id_, sandbox::SetupStageText(error.stage), error.index,
              std::generic_category().message(error.error_number));
  if (!started_) {
    KillEverything();
    return FailPreparation(error, sandbox::SetupStageText(error.stage));
  }
  evidence_.setup_error = error;
  End(EndCause::kSetupFailed);
}

void Session::FailPreparation(const ipc::SetupError& error, const std::string& message) {
  if (state_ != ipc::SandboxState::kPreparing) {
    return;
  }
  loop_.Cancel(setup_timer_);
  state_ = ipc::SandboxState::kNone;
  auto failed = ipc::Make<ipc::PrepareFailed>();
  failed.sandbox = id_;
  failed.refusal = ipc::Refusal::kSetupFailed;
  failed.error = error;
  static_cast<void>(ipc::SetText(failed.message, message));
  listener_->OnPrepareFailed(*this, failed);
  if (init_dead_) {
    ScheduleRemoval(0);
  }
}

void Session::Discard() {
  state_ = ipc::SandboxState::kNone;
  promised_memory_bytes_ = 0;
  if (init_dead_) {
    ScheduleRemoval(0);
  } else {
    KillEverything();
  }
}

void Session::RefuseStart(SetupStage stage, const std::string& message) {
  auto refused = ipc::Make<ipc::StartRefused>();
  refused.sandbox = id_;
  refused.refusal = ipc::Refusal::kSetupFailed;
  refused.error = MakeError(stage, 0, 0);
  static_cast<void>(ipc::SetText(refused.message, message));
  listener_->OnStartRefused(*this, refused);
  Discard();
}

void Session::Signal(int32_t signal_number) {
  CAISSON_CHECK(state_ == ipc::SandboxState::kRunning);
  to_init_.AddSignal(signal_number);
  SendToInit();
}

void Session::SendToInit() {
  const absl::Status status = to_init_.Flush(sandbox_.control.get());
  if (absl::IsUnavailable(status)) {
    // Fails where init has closed its end, of which its pidfd tells.
    static_cast<void>(loop_.Rewatch(sandbox_.control.get(), EPOLLIN | EPOLLOUT));
  } else if (!status.ok() && !absl::IsAborted(status)) {
    spdlog::error("sandbox {}: tell init: {}", id_, Message(status));
    End(EndCause::kInitLost);
  }
}

void Session::Start(const ipc::Start& start, const UniqueFd& bundle) {
  const ipc::StartLimits& limits = start.limits;
  CAISSON_CHECK(state_ == ipc::SandboxState::kPrepared);
  times_.start_ns = MonotonicNanos();
  if (init_dead_) {
    return RefuseStart(SetupStage::kInitProtocol, "the sandbox died while it waited");
  }
  const CgroupLimits wanted{limits.memory_bytes, limits.pids, limits.cpu_millis};
  absl::Status status = sandbox_.cgroup->SetLimits(wanted);
  const absl::StatusOr<CgroupLimits> in_force = sandbox_.cgroup->ReadLimits();
  status.Update(in_force.status());
  if (status.ok() && sandbox::LayersBuiltIn().complete) {
    status = CheckLimitsHeld(*in_force, wanted);
  }
  const absl::StatusOr<uint64_t> cpu_before_us = sandbox_.cgroup->CpuMicros();
  status.Update(cpu_before_us.status());
  if (!status.ok()) {
    spdlog::error("sandbox {}: write limits: {}", id_, Message(status));
    return RefuseStart(SetupStage::kLimits, "the kernel did not take the limits");
  }
  cpu_before_us_ = *cpu_before_us;
  isolation_.cgroup_memory_bytes = in_force->memory_bytes;
  isolation_.cgroup_pids = in_force->pids;
  isolation_.cgroup_cpu_millis = in_force->cpu_millis;

  sandbox::GoMessage go{};
  go.magic = sandbox::kControlMagic;
  go.type = sandbox::ControlType::kGo;
  go.open_files = limits.open_files;
  go.file_size_bytes = limits.file_size_bytes;
  go.stack_bytes = limits.stack_bytes;
  go.memory_bytes = limits.memory_bytes;
  go.cpu_millis = limits.cpu_millis;
  go.collects = start.collect_ms != 0 ? 1 : 0;
  const int bundle_fd = bundle.get();
  status = SendPacket(sandbox_.control.get(), std::as_bytes(std::span(&go, 1)), std::span(&bundle_fd, 1));
  if (!status.ok()) {
    return RefuseStart(SetupStage::kInitProtocol, Message(status));
  }
  loop_.Cancel(setup_timer_);
  started_ = true;
  state_ = ipc::SandboxState::kRunning;
  evidence_.limits = limits;
  run_id_ = start.run_id;
  collect_ns_ = static_cast<int64_t>(start.collect_ms) * kNanosPerMilli;
  asked_to_collect_ = collect_ns_ != 0;
  promised_memory_bytes_ = limits.memory_bytes;
  Later(static_cast<int64_t>(limits.wall_time_ms) * kNanosPerMilli, wall_timer_, &Session::OnWallDeadline);
  ArmCpuCheck(0);
  SampleMemory();
  if (plan_.network != policy::NetworkMode::kNone) {
    CheckSockets();
  }
  auto started = ipc::Make<ipc::Started>();
  started.sandbox = id_;
  started.isolation = isolation_;
  listener_->OnStarted(*this, started);
}

void Session::End(EndCause cause, const ipc::Cancel* cancel) {
  const ipc::CancelReason reason = cancel == nullptr ? ipc::CancelReason::kClient : cancel->reason;
  if (state_ == ipc::SandboxState::kNone) {
    return;
  }
  if (state_ == ipc::SandboxState::kEnding) {
    if (collect_ns_ != 0 && !IsWorthCollecting(cause, reason)) {
      collect_ns_ = 0;
      if (evidence_.main_ended) {
        KillEverything();
      }
    }
    return;
  }
  evidence_.cause = cause;
  if (cancel != nullptr) {
    evidence_.cancel = reason;
    evidence_.cancel_limit = cancel->limit;
    evidence_.cancel_observed = cancel->observed;
  }
  if (times_.start_ns != 0) {
    evidence_.wall_used_ns = static_cast<uint64_t>(MonotonicNanos() - times_.start_ns);
  }
  loop_.Cancel(setup_timer_);
  loop_.Cancel(wall_timer_);
  loop_.Cancel(cpu_timer_);
  KeepMemorySample();  // While what is about to be killed still holds it.
  state_ = ipc::SandboxState::kEnding;
  if (init_dead_) {
    return Conclude();
  }
  if (!started_ || cause == EndCause::kInitLost) {
    return KillEverything();  // There is no payload whose end init could report.
  }
  if (const absl::Status status = sandbox_.cgroup->KillPayload(); !status.ok()) {
    spdlog::error("sandbox {}: kill the payload: {}", id_, Message(status));
    return KillEverything();
  }
  Later(kReportNanos, kill_timer_, &Session::KillEverything);
}

void Session::KillEverything() {
  if (sandbox_.init.valid() && !init_dead_) {
    static_cast<void>(sandbox_.init.Kill(SIGKILL));
  }
  if (sandbox_.cgroup != nullptr) {
    if (const absl::Status status = sandbox_.cgroup->KillAll(); !status.ok()) {
      spdlog::error("sandbox {}: kill everything: {}", id_, Message(status));
    }
  }
}

void Session::OnDone(const sandbox::DoneMessage& message) {
  AddDone(message, MonotonicNanos(), evidence_, times_);
  switches_ = {message.voluntary_switches, message.involuntary_switches};
  loop_.Cancel(wall_timer_);
  loop_.Cancel(cpu_timer_);
  if (state_ == ipc::SandboxState::kRunning) {
    state_ = ipc::SandboxState::kEnding;
    Later(kReportNanos, kill_timer_, &Session::KillEverything);
  }
  if (init_dead_) {
    return;
  }
  if (asked_to_collect_) {
    LetCollect();
  } else {
    ConcludeIfEmpty();
  }
}

// init has nothing left to do, and its end, with that of its namespaces, is nobody's to wait for: that every
// other process is dead the kernel says by the payload's cgroup. Where it does not, init's end tells.
void Session::ConcludeIfEmpty() {
  const absl::StatusOr<bool> empty = sandbox_.cgroup->PayloadIsEmpty();
  if (!empty.ok() || !*empty) {
    return;
  }
  // It is about to end by itself, unless it is not ours any more.
  static_cast<void>(sandbox_.init.Kill(SIGKILL));
  Conclude();
}

// Everything but init is dead: what the run used is final, and what init uses from here on is not the run's.
void Session::LetCollect() {
  if (collect_ns_ == 0 || !IsWorthCollecting(evidence_.cause, evidence_.cancel)) {
    return KillEverything();
  }
  if (const absl::StatusOr<CgroupUsage> usage = sandbox_.cgroup->ReadUsage(); usage.ok()) {
    usage_ = *usage;
  }
  Later(kReportNanos + collect_ns_, kill_timer_, &Session::KillEverything);
}

// What init said last may still be in the socket: the kernel keeps it after init's end. Where init left
// something unread, its set-up message say, the first answer is a reset, and its words come after it.
void Session::ReadLastWords() {
  bool reset_expected = true;
  while (sandbox_.control.valid() && !evidence_.main_ended) {
    absl::StatusOr<Packet> packet = ReceivePacket(sandbox_.control.get());
    if (!packet.ok()) {
      if (std::exchange(reset_expected, false) && absl::IsAborted(packet.status())) {
        continue;
      }
      return;
    }
    const std::optional<InitRecord> record = DecodeInitRecord(packet->bytes);
    if (record && !std::holds_alternative<sandbox::ReadyMessage>(*record)) {
      static_cast<void>(Accept(*record, {}));
    }
  }
}

void Session::OnInitDead() {
  if (!sandbox_.init.TryReap().ok()) {
    return;  // Another event of this descriptor; it will be readable again.
  }
  init_dead_ = true;
  ReadLastWords();
  if (state_ == ipc::SandboxState::kNone && removal_timer_ != 0) {
    return;  // The last words were that the preparation failed.
  }
  loop_.Unwatch(sandbox_.init.get());
  loop_.Unwatch(sandbox_.control.get());
  switch (state_) {
    case ipc::SandboxState::kPreparing:
    case ipc::SandboxState::kStarting:  // never: whether a START waits is the link's to know
      return FailPreparation(MakeError(SetupStage::kInitProtocol, 0, EPIPE),
                             "init ended while it built the sandbox");
    case ipc::SandboxState::kPrepared:
      return;  // Kept for its START or CANCEL, which will learn of it.
    case ipc::SandboxState::kRunning:
      return End(EndCause::kInitLost);
    case ipc::SandboxState::kEnding:
      return Conclude();
    case ipc::SandboxState::kNone:
      return ScheduleRemoval(0);
  }
}

void Session::Conclude() {
  const absl::StatusOr<CgroupUsage> usage =
      usage_ ? absl::StatusOr<CgroupUsage>(*usage_) : sandbox_.cgroup->ReadUsage();
  if (!usage.ok()) {
    spdlog::error("sandbox {}: read the usage: {}", id_, Message(usage.status()));
    // Without the counters nobody can say that no limit was hit: an OOM kill would pass for an ordinary exit.
    evidence_.cause = evidence_.cause == EndCause::kNone ? EndCause::kInitLost : evidence_.cause;
  }
  times_.gone_ns = MonotonicNanos();
  CgroupUsage counted = usage.ok() ? *usage : CgroupUsage{};
  counted.memory_parts = memory_parts_;
  const ipc::Finished finished = MakeFinished(id_, evidence_, counted, times_, switches_);
  LogAttempt(run_id_, finished);
  CancelTimers();
  state_ = ipc::SandboxState::kNone;
  promised_memory_bytes_ = 0;
  listener_->OnFinished(*this, finished);
  if (init_dead_) {
    ScheduleRemoval(0);
  }
}

void Session::CancelTimers() {
  for (EventLoop::TimerId* timer : {&setup_timer_, &wall_timer_, &cpu_timer_, &kill_timer_, &locks_timer_,
                                    &memory_timer_, &sockets_timer_}) {
    loop_.Cancel(*timer);
    *timer = 0;
  }
}

void Session::StopWatching() {
  CancelTimers();
  if (sandbox_.init.valid()) {
    loop_.Unwatch(sandbox_.init.get());
  }
  if (sandbox_.control.valid()) {
    loop_.Unwatch(sandbox_.control.get());
  }
  if (sandbox_.cgroup != nullptr && sandbox_.cgroup->oom_event_fd() >= 0) {
    loop_.Unwatch(sandbox_.cgroup->oom_event_fd());
  }
}

void Session::ScheduleRemoval(int64_t delay_nanos) {
  StopWatching();
  sandbox_.init.reset();
  sandbox_.control.reset();
  Later(delay_nanos, removal_timer_, &Session::Remove);
}

}  // namespace caisson::orchestrator
