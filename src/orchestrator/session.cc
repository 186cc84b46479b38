// Run by caissond as root, in the event loop's thread. Untrusted input: init's fixed-size records (init
// answers a hostile payload and could one day be subverted), so each is checked for size, type and range.
#include "orchestrator/session.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "common/clock.h"
#include "common/status.h"
#include "ipc/codec.h"
#include "orchestrator/isolation_reader.h"
#include "sandbox/layers_outside.h"
#include "sandbox/setup_stage_text.h"

namespace caisson::orchestrator {
namespace {

using sandbox::SetupStage;

constexpr int64_t kSetupNanos = 10'000 * kNanosPerMilli;  // a sandbox is ready by then, or it failed
constexpr int64_t kWaitNanos = 60'000 * kNanosPerMilli;  // a prepared sandbox that nobody starts by then goes
constexpr int64_t kReportNanos = 2'000 * kNanosPerMilli;  // from the payload's end to init's
constexpr int64_t kFirstRemovalNanos = 1 * kNanosPerMilli;
constexpr int64_t kLastRemovalNanos = 1'000 * kNanosPerMilli;
constexpr int64_t kLeastCpuCheckNanos = 5 * kNanosPerMilli;

ipc::SetupError MakeError(SetupStage stage, uint32_t index, int error_number) {
  return {static_cast<uint32_t>(stage), index, error_number, 0};
}

// The record of type T, or false: any other size is not our init's.
template <class T>
bool ReadRecord(std::span<const std::byte> bytes, T& record) {
  if (bytes.size() != sizeof record) {
    return false;
  }
  std::memcpy(&record, bytes.data(), sizeof record);
  return record.magic == sandbox::kControlMagic;
}

sandbox::ControlType TypeOf(std::span<const std::byte> bytes) {
  struct {
    uint32_t magic;
    sandbox::ControlType type;
  } head{};
  if (bytes.size() >= sizeof head) {
    std::memcpy(&head, bytes.data(), sizeof head);
  }
  return head.type;
}

}  // namespace

Session::Session(EventLoop& loop, SandboxBuilder& builder, SessionListener& listener, ipc::SandboxId id,
                 const StepPlan& plan, ipc::Step step, uint32_t accepted_degradations)
    : loop_(loop),
      builder_(builder),
      listener_(listener),
      id_(id),
      plan_(plan),
      accepted_degradations_(accepted_degradations) {
  evidence_.step = step;
  evidence_.denials_per_second_limit = plan.denials_per_second;
}

Session::~Session() {
  StopWatching();
  loop_.Cancel(removal_timer_);
}

void Session::Later(int64_t delay_nanos, EventLoop::TimerId& timer, void (Session::*method)()) {
  loop_.Cancel(timer);
  timer = loop_.At(MonotonicNanos() + delay_nanos, [this, method, &timer] {
    timer = 0;
    (this->*method)();
  });
}

void Session::Build(uint64_t disk_bytes, uint64_t inode_count) {
  prepare_ns_ = MonotonicNanos();
  BuildFailure failure;
  absl::Status status;
  if (builder_.Build(plan_, disk_bytes, inode_count, sandbox_, failure)) {
    status = loop_.Watch(sandbox_.init.get(), EPOLLIN, [this](uint32_t) { OnInitDead(); });
    if (status.ok()) {
      status = loop_.Watch(sandbox_.control.get(), EPOLLIN, [this](uint32_t events) { OnControl(events); });
    }
    if (status.ok()) {
      Later(kSetupNanos, setup_timer_, &Session::OnSetupDeadline);
      return;
    }
    failure = {SetupStage::kClone, status};
    KillEverything();
    static_cast<void>(
        sandbox_.init.Reap());  // Nothing watches it, and it has no children yet: it ends at once.
    init_dead_ = true;
  } else {
    init_dead_ = !sandbox_.init.valid();
  }
  spdlog::error("sandbox {}: {}: {}", id_, sandbox::SetupStageText(static_cast<uint32_t>(failure.stage)),
                Message(failure.status));
  FailPreparation(MakeError(failure.stage, 0, 0), Message(failure.status));
}

void Session::OnSetupDeadline() {
  KillEverything();
  FailPreparation(MakeError(SetupStage::kDeadline, 0, ETIMEDOUT), "the sandbox was not ready in time");
}

void Session::OnControl(uint32_t events) {
  absl::StatusOr<Packet> packet = ReceivePacket(sandbox_.control.get());
  if (!packet.ok()) {
    if (!absl::IsUnavailable(packet.status()) || (events & EPOLLHUP) != 0) {
      loop_.Unwatch(sandbox_.control.get());  // init closed it by ending; its pidfd tells the rest.
    }
    return;
  }
  switch (TypeOf(packet->bytes)) {
    case sandbox::ControlType::kReady:
      if (sandbox::ReadyMessage message{}; ReadRecord(packet->bytes, message) &&
                                           packet->fds.size() == ipc::kPreparedFds &&
                                           state_ == ipc::SandboxState::kPreparing) {
        return OnReady(message, std::move(packet->fds));
      }
      break;
    case sandbox::ControlType::kFailed:
      if (sandbox::FailedMessage message{}; ReadRecord(packet->bytes, message)) {
        return OnFailed(message);
      }
      break;
    case sandbox::ControlType::kDone:
      if (sandbox::DoneMessage message{};
          ReadRecord(packet->bytes, message) && started_ && !evidence_.main_ended) {
        return OnDone(message);
      }
      break;
    default:
      break;
  }
  spdlog::error("sandbox {}: init broke the control protocol", id_);
  End(EndCause::kInitLost);
}

absl::Status Session::FillReport(const sandbox::ReadyMessage& message, ipc::IsolationReport& report) const {
  ASSIGN_OR_RETURN(const std::vector<pid_t> pids, sandbox_.cgroup->PayloadPids());
  if (pids.size() != 1) {
    return absl::FailedPreconditionError("the payload's cgroup holds " + std::to_string(pids.size()) +
                                         " processes instead of the stub");
  }
  ASSIGN_OR_RETURN(report, ReadIsolation(pids.front()));
  ASSIGN_OR_RETURN(const CgroupLimits limits, sandbox_.cgroup->ReadLimits());
  report.init_host_uid = sandbox_.ids.init_host_id;
  report.cgroup_memory_bytes = limits.memory_bytes;
  report.cgroup_pids = limits.pids;
  report.cgroup_cpu_millis = limits.cpu_millis;
  report.max_user_namespaces = sandbox::LayersBuiltIn().user_namespace_ban ? 0 : 1;
  report.landlock_abi = plan_.landlock_abi;
  report.landlock_enforced =
      message.landlock_probe_errno == EACCES && message.landlock_control_errno == 0 ? 1 : 0;
  report.accepted_degradations = accepted_degradations_;
  report.filter_digest = plan_.filter_digest;
  return absl::OkStatus();
}

void Session::OnReady(const sandbox::ReadyMessage& message, std::vector<UniqueFd> fds) {
  absl::Status status = FillReport(message, isolation_);
  SetupStage stage = SetupStage::kIsolationReport;
  // The gate of invariant 1: what is not in force ends the run here, before one untrusted instruction.
  if (status.ok() && sandbox::LayersBuiltIn().complete) {
    stage = SetupStage::kIsolationCheck;
    status = CheckIsolation(isolation_, sandbox_.ids.payload_host_id);
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
  Later(kWaitNanos, setup_timer_, &Session::KillEverything);
  state_ = ipc::SandboxState::kPrepared;
  auto prepared = ipc::Make<ipc::Prepared>();
  prepared.sandbox = id_;
  prepared.setup_ns = static_cast<uint64_t>(MonotonicNanos() - prepare_ns_);
  prepared.isolation = isolation_;
  listener_.OnPrepared(*this, prepared, std::move(fds));
}

void Session::OnFailed(const sandbox::FailedMessage& message) {
  const ipc::SetupError error =
      MakeError(message.record.stage, message.record.index, std::clamp(message.record.error_number, 0, 4095));
  spdlog::warn("sandbox {}: {} ({}): {}", id_, sandbox::SetupStageText(error.stage), error.index,
               std::strerror(error.error_number));
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
  listener_.OnPrepareFailed(*this, failed);
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

void Session::RefuseStart(ipc::Refusal refusal, ipc::LimitName limit, const std::string& message) {
  auto refused = ipc::Make<ipc::StartRefused>();
  refused.sandbox = id_;
  refused.refusal = refusal;
  refused.limit = limit;
  static_cast<void>(ipc::SetText(refused.message, message));
  listener_.OnStartRefused(*this, refused);
  Discard();
}

void Session::Start(const ipc::StartLimits& limits, UniqueFd bundle) {
  CAISSON_CHECK(state_ == ipc::SandboxState::kPrepared);
  start_ns_ = MonotonicNanos();
  if (init_dead_) {
    return RefuseStart(ipc::Refusal::kSetupFailed, ipc::LimitName::kNone, "the sandbox died while it waited");
  }
  absl::Status status = sandbox_.cgroup->SetLimits({limits.memory_bytes, limits.pids, limits.cpu_millis});
  const absl::StatusOr<CgroupLimits> in_force = sandbox_.cgroup->ReadLimits();
  status.Update(in_force.status());
  if (!status.ok()) {
    spdlog::error("sandbox {}: write limits: {}", id_, Message(status));
    return RefuseStart(ipc::Refusal::kSetupFailed, ipc::LimitName::kNone, Message(status));
  }
  isolation_.cgroup_memory_bytes = in_force->memory_bytes;
  isolation_.cgroup_pids = in_force->pids;
  isolation_.cgroup_cpu_millis = in_force->cpu_millis;

  sandbox::GoMessage go{};
  go.magic = sandbox::kControlMagic;
  go.type = sandbox::ControlType::kGo;
  go.open_files = limits.open_files;
  go.file_size_bytes = limits.file_size_bytes;
  go.stack_bytes = limits.stack_bytes;
  const int bundle_fd = bundle.get();
  status = SendPacket(sandbox_.control.get(), std::as_bytes(std::span(&go, 1)), std::span(&bundle_fd, 1));
  if (!status.ok()) {
    return RefuseStart(ipc::Refusal::kSetupFailed, ipc::LimitName::kNone, Message(status));
  }
  loop_.Cancel(setup_timer_);
  started_ = true;
  state_ = ipc::SandboxState::kRunning;
  evidence_.limits = limits;
  promised_memory_bytes_ = limits.memory_bytes;
  Later(static_cast<int64_t>(limits.wall_time_ms) * kNanosPerMilli, wall_timer_, &Session::OnWallDeadline);
  CheckCpu();
  auto started = ipc::Make<ipc::Started>();
  started.sandbox = id_;
  started.isolation = isolation_;
  listener_.OnStarted(*this, started);
}

void Session::OnWallDeadline() { End(EndCause::kWallDeadline); }

void Session::OnOom() {
  uint64_t count = 0;
  if (read(sandbox_.cgroup->oom_event_fd(), &count, sizeof count) == sizeof count) {
    End(EndCause::kOom);
  }
}

// The CPU time is a sum over all processes, for which the kernel has no timer: look when it could be used up
// at the earliest, which is never sooner than what is left divided by the CPUs the run may use.
void Session::CheckCpu() {
  const absl::StatusOr<uint64_t> used_us = sandbox_.cgroup->CpuMicros();
  if (!used_us.ok()) {
    spdlog::error("sandbox {}: read the CPU time: {}", id_, Message(used_us.status()));
    return End(EndCause::kInitLost);  // A limit that cannot be watched is not a limit.
  }
  const uint64_t limit_us = evidence_.limits.cpu_time_ms * 1000;
  evidence_.cpu_used_us = *used_us;
  if (*used_us >= limit_us) {
    return End(EndCause::kCpuDeadline);
  }
  const auto left_ns =
      static_cast<int64_t>((limit_us - *used_us) * 1000 * 1000 / evidence_.limits.cpu_millis);
  Later(std::max(left_ns, kLeastCpuCheckNanos), cpu_timer_, &Session::CheckCpu);
}

void Session::End(EndCause cause, const ipc::Cancel* cancel) {
  if (state_ == ipc::SandboxState::kNone || state_ == ipc::SandboxState::kEnding) {
    return;
  }
  evidence_.cause = cause;
  if (cancel != nullptr) {
    evidence_.cancel = cancel->reason;
    evidence_.cancel_limit = cancel->limit;
    evidence_.cancel_observed = cancel->observed;
  }
  if (start_ns_ != 0) {
    evidence_.wall_used_ns = static_cast<uint64_t>(MonotonicNanos() - start_ns_);
  }
  loop_.Cancel(setup_timer_);
  loop_.Cancel(wall_timer_);
  loop_.Cancel(cpu_timer_);
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
  const int64_t now = MonotonicNanos();
  evidence_.main_ended = true;
  evidence_.exited = message.wait_code == CLD_EXITED;
  evidence_.exit_code = evidence_.exited ? message.wait_status & 0xff : 0;
  evidence_.term_signal = evidence_.exited ? 0 : std::clamp(message.wait_status, 1, 64);
  evidence_.violation_syscall =
      message.violation_syscall >= 0 && message.violation_syscall < 1024 ? message.violation_syscall : -1;
  evidence_.denial_rate_hit = message.denial_rate_hit == 1;
  evidence_.denials_in_last_second = message.denials_in_last_second;
  if (message.exec_ns >= start_ns_ && message.exec_ns <= message.exit_ns && message.exit_ns <= now) {
    exec_ns_ = message.exec_ns;
    exit_ns_ = message.exit_ns;
    if (evidence_.cause == EndCause::kNone) {
      evidence_.wall_used_ns = static_cast<uint64_t>(exit_ns_ - start_ns_);
    }
  }
  voluntary_switches_ = message.voluntary_switches;
  involuntary_switches_ = message.involuntary_switches;
  if (state_ == ipc::SandboxState::kRunning) {
    loop_.Cancel(wall_timer_);
    loop_.Cancel(cpu_timer_);
    state_ = ipc::SandboxState::kEnding;
    Later(kReportNanos, kill_timer_, &Session::KillEverything);
  }
}

void Session::OnInitDead() {
  if (!sandbox_.init.TryReap().ok()) {
    return;  // Another event of this descriptor; it will be readable again.
  }
  init_dead_ = true;
  // What init said last may still be in the socket: the kernel keeps it after init's end.
  while (sandbox_.control.valid() && !evidence_.main_ended) {
    absl::StatusOr<Packet> packet = ReceivePacket(sandbox_.control.get());
    if (!packet.ok()) {
      break;
    }
    if (sandbox::DoneMessage done{};
        TypeOf(packet->bytes) == sandbox::ControlType::kDone && ReadRecord(packet->bytes, done) && started_) {
      OnDone(done);
    } else if (sandbox::FailedMessage failed{};
               TypeOf(packet->bytes) == sandbox::ControlType::kFailed && ReadRecord(packet->bytes, failed)) {
      OnFailed(failed);
      if (state_ == ipc::SandboxState::kNone) {
        return;  // The preparation failed, and is being removed.
      }
    }
  }
  loop_.Unwatch(sandbox_.init.get());
  loop_.Unwatch(sandbox_.control.get());
  switch (state_) {
    case ipc::SandboxState::kPreparing:
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

void Session::FillTimings(int64_t now, ipc::Finished& finished) const {
  if (exec_ns_ != 0) {
    finished.start_ns = static_cast<uint64_t>(exec_ns_ - start_ns_);
    finished.run_ns = static_cast<uint64_t>(exit_ns_ - exec_ns_);
    finished.teardown_ns = static_cast<uint64_t>(now - exit_ns_);
    finished.usage.present |= ipc::kUsageWallTime;
    finished.usage.wall_time_ns = finished.run_ns;
  }
}

ipc::Finished Session::BuildFinished() {
  auto finished = ipc::Make<ipc::Finished>();
  finished.sandbox = id_;
  const absl::StatusOr<CgroupUsage> read = sandbox_.cgroup->ReadUsage();
  CgroupUsage usage = read.ok() ? *read : CgroupUsage{};
  if (evidence_.cause == EndCause::kOom && usage.oom_kills == 0) {
    // The event comes before the kernel has chosen a victim; our kill of the whole payload was faster than
    // its own.
    usage.oom_kills = 1;
  }
  if (!read.ok()) {
    spdlog::error("sandbox {}: read the usage: {}", id_, Message(read.status()));
  }
  evidence_.oom_kills = usage.oom_kills;
  evidence_.memory_peak_bytes = usage.memory_peak_bytes.value_or(0);
  if (usage.cpu_user_us && usage.cpu_system_us) {
    evidence_.cpu_used_us = *usage.cpu_user_us + *usage.cpu_system_us;
  }
  const Decision decision = Decide(evidence_);
  finished.verdict = decision.verdict;
  finished.ended_by = decision.ended_by;
  finished.limit = decision.limit;
  finished.limit_value = decision.limit_value;
  finished.limit_observed = decision.limit_observed;
  finished.exited = evidence_.main_ended && evidence_.exited ? 1 : 0;
  finished.exit_code = evidence_.exit_code;
  finished.term_signal = evidence_.term_signal;
  finished.violation_syscall =
      decision.verdict == ipc::Verdict::kSyscallViolation ? evidence_.violation_syscall : -1;
  finished.error = evidence_.setup_error;

  ipc::Usage& out = finished.usage;
  const auto copy = [&out](const std::optional<uint64_t>& value, uint64_t& target, uint32_t bit) {
    if (value) {
      target = *value;
      out.present |= bit;
    }
  };
  if (usage.cpu_system_us) {
    copy(usage.cpu_user_us, out.cpu_user_us, ipc::kUsageCpu);
    out.cpu_system_us = *usage.cpu_system_us;
  }
  copy(usage.memory_peak_bytes, out.memory_peak_bytes, ipc::kUsageMemoryPeak);
  copy(usage.oom_kills, out.oom_kills, ipc::kUsageOomKills);
  copy(usage.pids_peak, out.pids_peak, ipc::kUsagePidsPeak);
  copy(usage.forks_denied, out.forks_denied, ipc::kUsageForksDenied);
  if (evidence_.main_ended) {
    out.present |= ipc::kUsageContextSwitches;
    out.voluntary_switches = voluntary_switches_;
    out.involuntary_switches = involuntary_switches_;
  }
  FillTimings(MonotonicNanos(), finished);
  return finished;
}

void Session::Conclude() {
  const ipc::Finished finished = BuildFinished();
  StopWatching();
  state_ = ipc::SandboxState::kNone;
  promised_memory_bytes_ = 0;
  listener_.OnFinished(*this, finished);
  ScheduleRemoval(0);
}

void Session::StopWatching() {
  for (EventLoop::TimerId* timer : {&setup_timer_, &wall_timer_, &cpu_timer_, &kill_timer_}) {
    loop_.Cancel(*timer);
    *timer = 0;
  }
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

void Session::Remove() {
  const absl::Status status = builder_.Dispose(sandbox_);
  if (status.ok()) {
    return listener_.OnGone(*this);
  }
  if (removal_delay_ns_ == kLastRemovalNanos) {
    spdlog::warn("sandbox {}: remove the cgroups: {}", id_, Message(status));
  }
  // The kernel empties a cgroup a moment after its last process is reaped.
  removal_delay_ns_ = std::clamp(removal_delay_ns_ * 2, kFirstRemovalNanos, kLastRemovalNanos);
  Later(removal_delay_ns_, removal_timer_, &Session::Remove);
}

}  // namespace caisson::orchestrator
