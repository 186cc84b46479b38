#include "orchestrator/verdict.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/clock.h"
#include "orchestrator/socket_count.h"
#include "sandbox/setup_stage.h"

namespace caisson::orchestrator {
namespace {

using ipc::Actor;
using ipc::LimitName;
using ipc::Verdict;

constexpr uint64_t kMicrosPerMilli = 1'000;

Decision Plain(Verdict verdict, Actor actor) { return {verdict, actor, LimitName::kNone, 0, 0}; }

// A limit that was enforced was reached: clocks and counters that are read a moment apart must not deny it.
Decision Limited(Verdict verdict, Actor actor, LimitName limit, uint64_t value, uint64_t observed) {
  return {verdict, actor, limit, value, std::max(value, observed)};
}

uint64_t CpuUsedMillis(const Evidence& evidence) { return evidence.cpu_used_us / kMicrosPerMilli; }

Decision CpuLimit(const Evidence& evidence) {
  return Limited(Verdict::kCpuTimeLimit, Actor::kSupervisor, LimitName::kCpuTime, evidence.limits.cpu_time_ms,
                 CpuUsedMillis(evidence));
}

Decision Canceled(const Evidence& evidence) {
  switch (evidence.cancel) {
    case ipc::CancelReason::kOutputLimit:
      return Limited(Verdict::kOutputLimit, Actor::kSupervisor, LimitName::kOutput, evidence.cancel_limit,
                     evidence.cancel_observed);
    case ipc::CancelReason::kShutdown:
      return Plain(Verdict::kCanceled, Actor::kOperator);
    case ipc::CancelReason::kClient:
    case ipc::CancelReason::kDisconnected:
    case ipc::CancelReason::kDeadline:
      break;
  }
  return Plain(Verdict::kCanceled, Actor::kClient);
}

// What caissond did first, if it ended the run.
Decision ByCause(const Evidence& evidence) {
  switch (evidence.cause) {
    case EndCause::kWallDeadline:
      return Limited(Verdict::kWallTimeLimit, Actor::kSupervisor, LimitName::kWallTime,
                     evidence.limits.wall_time_ms,
                     evidence.wall_used_ns / static_cast<uint64_t>(kNanosPerMilli));
    case EndCause::kCpuDeadline:
      return CpuLimit(evidence);
    case EndCause::kSockets:
      return Limited(Verdict::kMemoryLimit, Actor::kSupervisor, LimitName::kSockets, kMostSockets,
                     evidence.sockets);
    case EndCause::kCanceled:
      return Canceled(evidence);
    case EndCause::kShutdown:
      return Plain(Verdict::kCanceled, Actor::kOperator);
    case EndCause::kNone:
    case EndCause::kOom:
    case EndCause::kInitLost:
    case EndCause::kSetupFailed:
      break;
  }
  return Plain(Verdict::kServiceFailed, Actor::kService);
}

bool CpuLimitReached(const Evidence& evidence) {
  const uint64_t limit_ms = evidence.limits.cpu_time_ms;
  return limit_ms != 0 && CpuUsedMillis(evidence) >= limit_ms;
}

}  // namespace

bool IsClientsFault(const ipc::SetupError& error) {
  if (error.stage == static_cast<uint32_t>(sandbox::SetupStage::kStubFiles)) {
    return error.error_number == ENOSPC;
  }
  if (error.stage != static_cast<uint32_t>(sandbox::SetupStage::kStubExec)) {
    return false;
  }
  constexpr std::array kOfTheFile = {ENOEXEC, ENOENT, EACCES, EINVAL, ELIBBAD,
                                     ENOTDIR, ELOOP,  EISDIR, EPERM,  ENOMEM};
  return error.error_number == E2BIG ||
         (error.index == 1 &&
          std::find(kOfTheFile.begin(), kOfTheFile.end(), error.error_number) != kOfTheFile.end());
}

Decision Decide(const Evidence& evidence) {
  if (evidence.cause == EndCause::kSetupFailed) {
    return Plain(Verdict::kSandboxSetupFailed,
                 IsClientsFault(evidence.setup_error) ? Actor::kClient : Actor::kService);
  }
  if (evidence.cause == EndCause::kOom || evidence.oom_kills.value_or(0) > 0) {
    return Limited(Verdict::kMemoryLimit, Actor::kKernel, LimitName::kMemory, evidence.limits.memory_bytes,
                   evidence.memory_peak_bytes);
  }
  if (evidence.violation_syscall >= 0) {
    return Plain(Verdict::kSyscallViolation, Actor::kSupervisor);
  }
  if (evidence.denial_rate_hit) {
    return Limited(Verdict::kSyscallViolation, Actor::kSupervisor, LimitName::kDenialRate,
                   evidence.denials_per_second_limit, evidence.denials_in_last_second);
  }
  if (evidence.cause != EndCause::kNone) {
    return ByCause(evidence);
  }
  if (CpuLimitReached(evidence)) {
    return CpuLimit(evidence);
  }
  if (!evidence.main_ended) {
    return Plain(Verdict::kServiceFailed, Actor::kService);
  }
  if (!evidence.exited && evidence.term_signal == 0) {
    return Plain(Verdict::kServiceFailed, Actor::kService);  // a record that says neither is not init's
  }
  if (!evidence.exited) {
    return Plain(Verdict::kSignaled, Actor::kKernel);
  }
  if (evidence.step == ipc::Step::kCompile && evidence.exit_code != 0) {
    return Plain(Verdict::kCompileFailed, Actor::kProgram);
  }
  return Plain(Verdict::kCompleted, Actor::kProgram);
}

}  // namespace caisson::orchestrator
