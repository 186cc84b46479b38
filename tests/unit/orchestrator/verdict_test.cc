// The verdict as a table: each row is evidence that may meet in one run, and the decision it must come to.
#include "orchestrator/verdict.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "sandbox/setup_stage.h"

namespace caisson::orchestrator {
namespace {

using ipc::Actor;
using ipc::CancelReason;
using ipc::LimitName;
using ipc::Verdict;

constexpr uint64_t kMiB = 1024 * 1024;

Evidence Exited(int code) {
  Evidence evidence;
  evidence.main_ended = true;
  evidence.exited = true;
  evidence.exit_code = code;
  evidence.oom_kills = 0;
  evidence.memory_peak_bytes = 5 * kMiB;
  evidence.cpu_used_us = 30'000;
  evidence.wall_used_ns = 50'000'000;
  evidence.limits = {10'000, 2'000, 64 * kMiB, 64, 256, kMiB, 8 * kMiB, 1'000};
  return evidence;
}

Evidence Signaled(int signal) {
  Evidence evidence = Exited(0);
  evidence.exited = false;
  evidence.term_signal = signal;
  return evidence;
}

Evidence Ended(EndCause cause) {
  Evidence evidence = Signaled(9);
  evidence.cause = cause;
  return evidence;
}

Evidence Canceled(CancelReason reason) {
  Evidence evidence = Ended(EndCause::kCanceled);
  evidence.cancel = reason;
  return evidence;
}

void ExpectPlain(const Evidence& evidence, Verdict verdict, Actor actor) {
  const Decision decision = Decide(evidence);
  EXPECT_EQ(decision.verdict, verdict);
  EXPECT_EQ(decision.ended_by, actor);
  EXPECT_EQ(decision.limit, LimitName::kNone);
  EXPECT_EQ(decision.limit_value, 0U);
  EXPECT_EQ(decision.limit_observed, 0U);
}

void ExpectLimit(const Evidence& evidence, Verdict verdict, Actor actor, LimitName limit, uint64_t value,
                 uint64_t observed) {
  const Decision decision = Decide(evidence);
  EXPECT_EQ(decision.verdict, verdict);
  EXPECT_EQ(decision.ended_by, actor);
  EXPECT_EQ(decision.limit, limit);
  EXPECT_EQ(decision.limit_value, value);
  EXPECT_EQ(decision.limit_observed, observed);
}

TEST(VerdictTest, ExitZeroIsCompleted) { ExpectPlain(Exited(0), Verdict::kCompleted, Actor::kProgram); }

TEST(VerdictTest, ExitNonZeroIsCompletedToo) { ExpectPlain(Exited(3), Verdict::kCompleted, Actor::kProgram); }

TEST(VerdictTest, CompileStepThatExitsNonZeroIsCompileFailed) {
  Evidence evidence = Exited(1);
  evidence.step = ipc::Step::kCompile;
  ExpectPlain(evidence, Verdict::kCompileFailed, Actor::kProgram);
}

TEST(VerdictTest, CompileStepThatExitsZeroIsCompleted) {
  Evidence evidence = Exited(0);
  evidence.step = ipc::Step::kCompile;
  ExpectPlain(evidence, Verdict::kCompleted, Actor::kProgram);
}

TEST(VerdictTest, CompileStepKilledByASignalIsSignaled) {
  Evidence evidence = Signaled(11);
  evidence.step = ipc::Step::kCompile;
  ExpectPlain(evidence, Verdict::kSignaled, Actor::kKernel);
}

TEST(VerdictTest, CompileStepOverItsWallTimeIsAWallTimeLimit) {
  Evidence evidence = Ended(EndCause::kWallDeadline);
  evidence.step = ipc::Step::kCompile;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kWallTimeLimit);
}

TEST(VerdictTest, SignalIsSignaled) { ExpectPlain(Signaled(6), Verdict::kSignaled, Actor::kKernel); }

TEST(VerdictTest, OomKillBeatsSigkill) {
  Evidence evidence = Signaled(9);
  evidence.oom_kills = 1;
  evidence.memory_peak_bytes = 64 * kMiB;
  ExpectLimit(evidence, Verdict::kMemoryLimit, Actor::kKernel, LimitName::kMemory, 64 * kMiB, 64 * kMiB);
}

TEST(VerdictTest, OomKillBeatsExitZero) {
  Evidence evidence = Exited(0);
  evidence.oom_kills = 2;
  ExpectLimit(evidence, Verdict::kMemoryLimit, Actor::kKernel, LimitName::kMemory, 64 * kMiB, 64 * kMiB);
}

TEST(VerdictTest, OomKillBeatsFailedCompilation) {
  Evidence evidence = Exited(1);
  evidence.step = ipc::Step::kCompile;
  evidence.oom_kills = 1;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kMemoryLimit);
}

TEST(VerdictTest, OomEventCountsWithoutACounter) {
  Evidence evidence = Ended(EndCause::kOom);
  evidence.oom_kills.reset();
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kMemoryLimit);
}

TEST(VerdictTest, OomKillBeatsWallDeadline) {
  Evidence evidence = Ended(EndCause::kWallDeadline);
  evidence.oom_kills = 1;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kMemoryLimit);
}

TEST(VerdictTest, OomKillBeatsViolation) {
  Evidence evidence = Signaled(9);
  evidence.oom_kills = 1;
  evidence.violation_syscall = 101;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kMemoryLimit);
}

TEST(VerdictTest, ObservedMemoryIsThePeakWhenItIsAboveTheLimit) {
  Evidence evidence = Signaled(9);
  evidence.oom_kills = 1;
  evidence.memory_peak_bytes = 65 * kMiB;
  EXPECT_EQ(Decide(evidence).limit_observed, 65 * kMiB);
}

TEST(VerdictTest, SetupFailureBeatsEverything) {
  Evidence evidence = Ended(EndCause::kSetupFailed);
  evidence.oom_kills = 1;
  evidence.violation_syscall = 1;
  ExpectPlain(evidence, Verdict::kSandboxSetupFailed, Actor::kService);
}

TEST(VerdictTest, WhatTheKernelCannotExecuteIsTheClientsFault) {
  constexpr auto kExec = static_cast<uint32_t>(sandbox::SetupStage::kStubExec);
  constexpr auto kFiles = static_cast<uint32_t>(sandbox::SetupStage::kStubFiles);
  struct Row {
    ipc::SetupError error;
    Actor actor;
  };
  const std::vector<Row> rows = {
      {{kExec, 1, ENOEXEC, 0}, Actor::kClient},      {{kExec, 1, ENOENT, 0}, Actor::kClient},
      {{kExec, 1, EACCES, 0}, Actor::kClient},       {{kExec, 1, ELIBBAD, 0}, Actor::kClient},
      {{kExec, 1, E2BIG, 0}, Actor::kClient},        {{kExec, 0, E2BIG, 0}, Actor::kClient},
      {{kExec, 0, ENOEXEC, 0}, Actor::kService},  // the profile's program
      {{kExec, 0, ENOENT, 0}, Actor::kService},      {{kExec, 1, EIO, 0}, Actor::kService},
      {{kFiles, 0, ENOSPC, 0}, Actor::kClient},      {{kFiles, 0, EIO, 0}, Actor::kService},
      {{kExec - 1, 1, ENOEXEC, 0}, Actor::kService},
  };
  for (const Row& row : rows) {
    Evidence evidence = Ended(EndCause::kSetupFailed);
    evidence.setup_error = row.error;
    ExpectPlain(evidence, Verdict::kSandboxSetupFailed, row.actor);
  }
}

TEST(VerdictTest, ViolationHasNoLimit) {
  Evidence evidence = Signaled(9);
  evidence.violation_syscall = 0;  // read(2) has the number 0
  ExpectPlain(evidence, Verdict::kSyscallViolation, Actor::kSupervisor);
}

TEST(VerdictTest, ViolationBeatsWallDeadline) {
  Evidence evidence = Ended(EndCause::kWallDeadline);
  evidence.violation_syscall = 101;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kSyscallViolation);
}

TEST(VerdictTest, DenialRateIsAViolationWithALimit) {
  Evidence evidence = Signaled(9);
  evidence.denial_rate_hit = true;
  evidence.denials_per_second_limit = 10'000;
  evidence.denials_in_last_second = 10'001;
  ExpectLimit(evidence, Verdict::kSyscallViolation, Actor::kSupervisor, LimitName::kDenialRate, 10'000,
              10'001);
}

TEST(VerdictTest, TooManySocketsAreAMemoryLimitOfTheSupervisors) {
  Evidence evidence = Ended(EndCause::kSockets);
  evidence.sockets = 2'077;
  ExpectLimit(evidence, Verdict::kMemoryLimit, Actor::kSupervisor, LimitName::kSockets, 2'048, 2'077);
  evidence.oom_kills = 1;
  EXPECT_EQ(Decide(evidence).limit, LimitName::kMemory);
}

TEST(VerdictTest, WallTimeIsObservedInMilliseconds) {
  Evidence evidence = Ended(EndCause::kWallDeadline);
  evidence.wall_used_ns = 10'012'999'999;
  ExpectLimit(evidence, Verdict::kWallTimeLimit, Actor::kSupervisor, LimitName::kWallTime, 10'000, 10'012);
}

TEST(VerdictTest, ObservedWallTimeIsNeverBelowTheLimitThatFired) {
  Evidence evidence = Ended(EndCause::kWallDeadline);
  evidence.wall_used_ns = 9'999'900'000;
  EXPECT_EQ(Decide(evidence).limit_observed, 10'000U);
}

TEST(VerdictTest, WallDeadlineBeatsCpuTimeSeenAtTheEnd) {
  Evidence evidence = Ended(EndCause::kWallDeadline);
  evidence.cpu_used_us = 9'000'000;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kWallTimeLimit);
}

TEST(VerdictTest, WallDeadlineWithoutAnEndOfTheMainProcessIsStillAWallTimeLimit) {
  Evidence evidence = Ended(EndCause::kWallDeadline);
  evidence.main_ended = false;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kWallTimeLimit);
}

TEST(VerdictTest, CpuDeadlineIsObservedInMilliseconds) {
  Evidence evidence = Ended(EndCause::kCpuDeadline);
  evidence.cpu_used_us = 2'034'999;
  ExpectLimit(evidence, Verdict::kCpuTimeLimit, Actor::kSupervisor, LimitName::kCpuTime, 2'000, 2'034);
}

TEST(VerdictTest, CpuLimitSeenOnlyAtTheEndCounts) {
  Evidence evidence = Exited(0);
  evidence.cpu_used_us = 2'000'000;
  ExpectLimit(evidence, Verdict::kCpuTimeLimit, Actor::kSupervisor, LimitName::kCpuTime, 2'000, 2'000);
}

TEST(VerdictTest, CpuTimeJustBelowTheLimitDoesNotCount) {
  Evidence evidence = Exited(0);
  evidence.cpu_used_us = 1'999'999;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kCompleted);
}

TEST(VerdictTest, CpuTimeSeenAtTheEndBeatsASignal) {
  Evidence evidence = Signaled(24);
  evidence.cpu_used_us = 2'500'000;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kCpuTimeLimit);
}

TEST(VerdictTest, CpuTimeWithoutALimitDoesNotCount) {
  Evidence evidence = Exited(0);
  evidence.limits = {};
  evidence.cpu_used_us = 1;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kCompleted);
}

TEST(VerdictTest, CancelByTheClientIsTheClients) {
  ExpectPlain(Canceled(CancelReason::kClient), Verdict::kCanceled, Actor::kClient);
}

TEST(VerdictTest, DisconnectionIsTheClients) {
  ExpectPlain(Canceled(CancelReason::kDisconnected), Verdict::kCanceled, Actor::kClient);
}

TEST(VerdictTest, TheCallsDeadlineIsTheClients) {
  ExpectPlain(Canceled(CancelReason::kDeadline), Verdict::kCanceled, Actor::kClient);
}

TEST(VerdictTest, CancelForShutdownIsTheOperators) {
  ExpectPlain(Canceled(CancelReason::kShutdown), Verdict::kCanceled, Actor::kOperator);
}

TEST(VerdictTest, ShutdownIsTheOperators) {
  ExpectPlain(Ended(EndCause::kShutdown), Verdict::kCanceled, Actor::kOperator);
}

TEST(VerdictTest, OutputLimitCarriesItsNumbers) {
  Evidence evidence = Canceled(CancelReason::kOutputLimit);
  evidence.cancel_limit = 1'000;
  evidence.cancel_observed = 1'024;
  ExpectLimit(evidence, Verdict::kOutputLimit, Actor::kSupervisor, LimitName::kOutput, 1'000, 1'024);
}

TEST(VerdictTest, CancelOfASandboxThatNeverStartedIsCanceled) {
  Evidence evidence;
  evidence.cause = EndCause::kCanceled;
  ExpectPlain(evidence, Verdict::kCanceled, Actor::kClient);
}

TEST(VerdictTest, CancelBeatsAnExitThatCameLater) {
  Evidence evidence = Exited(0);
  evidence.cause = EndCause::kCanceled;
  EXPECT_EQ(Decide(evidence).verdict, Verdict::kCanceled);
}

TEST(VerdictTest, LostInitIsAFailureOfTheService) {
  ExpectPlain(Ended(EndCause::kInitLost), Verdict::kServiceFailed, Actor::kService);
}

TEST(VerdictTest, NoEndAndNoCauseIsAFailureOfTheService) {
  ExpectPlain(Evidence{}, Verdict::kServiceFailed, Actor::kService);
}

TEST(VerdictTest, AnEndThatIsNeitherExitNorSignalIsAFailureOfTheService) {
  ExpectPlain(Signaled(0), Verdict::kServiceFailed, Actor::kService);
}

}  // namespace
}  // namespace caisson::orchestrator
