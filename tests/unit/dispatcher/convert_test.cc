#include "dispatcher/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>

#include "dispatcher/test_profiles.h"
#include "sandbox/setup_stage.h"

namespace caisson::dispatcher {
namespace {

// A run of this one step.
RunOutcome Ended(const StepOutcome& step) {
  RunOutcome outcome;
  outcome.steps.push_back(step);
  return outcome;
}

struct SentenceCase {
  ipc::Verdict verdict;
  ipc::LimitName limit;
  uint64_t value;
  const char* sentence;
};

class SentenceTest : public testing::TestWithParam<SentenceCase> {};

TEST_P(SentenceTest, SaysWhatEndedTheRun) {
  StepOutcome outcome;
  outcome.finished.verdict = GetParam().verdict;
  outcome.finished.limit = GetParam().limit;
  outcome.finished.limit_value = GetParam().value;
  outcome.finished.exit_code = 3;
  outcome.finished.term_signal = 9;
  outcome.finished.violation_syscall = 101;
  EXPECT_EQ(OutcomeSentence(outcome), GetParam().sentence);
}

INSTANTIATE_TEST_SUITE_P(
    All, SentenceTest,
    testing::Values(SentenceCase{ipc::Verdict::kCompleted, ipc::LimitName::kNone, 0,
                                 "The program exited with code 3."},
                    SentenceCase{ipc::Verdict::kSignaled, ipc::LimitName::kNone, 0,
                                 "The program was ended by signal 9 (SIGKILL)."},
                    SentenceCase{ipc::Verdict::kWallTimeLimit, ipc::LimitName::kWallTime, 10'000,
                                 "Stopped: it ran longer than its 10 s."},
                    SentenceCase{ipc::Verdict::kCpuTimeLimit, ipc::LimitName::kCpuTime, 1'500,
                                 "Stopped: it used all of its 1500 ms of CPU time."},
                    SentenceCase{ipc::Verdict::kMemoryLimit, ipc::LimitName::kMemory, 256ULL << 20U,
                                 "Stopped: it used all of its 256 MiB of memory."},
                    SentenceCase{ipc::Verdict::kMemoryLimit, ipc::LimitName::kSockets, 2'048,
                                 "Stopped: it had more than 2048 sockets, those among them that no program "
                                 "holds any more or yet."},
                    SentenceCase{ipc::Verdict::kOutputLimit, ipc::LimitName::kOutput, 1'000'001,
                                 "Stopped: it wrote more than its 1000001 bytes of output to one stream."},
                    SentenceCase{ipc::Verdict::kSyscallViolation, ipc::LimitName::kNone, 0,
                                 "Stopped: it made the forbidden system call ptrace."},
                    SentenceCase{ipc::Verdict::kSyscallViolation, ipc::LimitName::kDenialRate, 1000,
                                 "Stopped: it made more than 1000 refused system calls a second."},
                    SentenceCase{ipc::Verdict::kServiceFailed, ipc::LimitName::kNone, 0,
                                 "Caisson failed, which is no fault of the program."}));

TEST(ConvertTest, SetupFailureNamesTheStepAndTheError) {
  StepOutcome outcome;
  outcome.finished = RefusedOutcome(ipc::Refusal::kSetupFailed, ipc::SetupError{17, 2, EPERM, 0});
  const v1::RunResult result = ResultToProto(Ended(outcome));
  EXPECT_EQ(result.verdict(), v1::SANDBOX_SETUP_FAILED);
  EXPECT_EQ(result.ended_by(), v1::SERVICE);
  EXPECT_EQ(
      result.message(),
      "The sandbox could not be built, and nothing of the program ran: mount the work directory: Operation "
      "not permitted.");
  EXPECT_FALSE(result.has_exit_code());
  EXPECT_FALSE(result.timings().has_setup());
}

TEST(ConvertTest, SetupFailureNamesTheStepBesideWhatCaissondSays) {
  StepOutcome outcome;
  outcome.finished = RefusedOutcome(ipc::Refusal::kSetupFailed, ipc::SetupError{1, 0, 0, 0});
  outcome.detail = "make cgroup run-7: No space left on device";
  EXPECT_EQ(ResultToProto(Ended(outcome)).message(),
            "The sandbox could not be built, and nothing of the program ran: create the cgroups: make cgroup "
            "run-7: No space left on device.");
  // init's own failures come with the step's name alone; the error is beside it.
  outcome.finished.error = {17, 2, EPERM, 0};
  outcome.detail = sandbox::SetupStageText(17);
  EXPECT_EQ(ResultToProto(Ended(outcome)).message(),
            "The sandbox could not be built, and nothing of the program ran: mount the work directory: "
            "Operation not permitted.");
}

TEST(ConvertTest, AMainFileThatTheKernelCannotExecuteIsTheClientsFault) {
  StepOutcome outcome;
  outcome.finished.verdict = ipc::Verdict::kSandboxSetupFailed;
  outcome.finished.ended_by = ipc::Actor::kClient;
  outcome.finished.error = {static_cast<uint32_t>(sandbox::SetupStage::kStubExec), 1, ENOEXEC, 0};
  EXPECT_EQ(ResultToProto(Ended(outcome)).ended_by(), v1::CLIENT);
  EXPECT_EQ(ResultToProto(Ended(outcome)).message(),
            "The kernel could not execute the main file: Exec format error (it is neither an x86-64 ELF "
            "program nor a "
            "script that begins with #!); nothing ran.");
  outcome.finished.error.error_number = ENOENT;
  EXPECT_EQ(ResultToProto(Ended(outcome)).message(),
            "The kernel could not execute the main file: No such file or directory (the interpreter that it "
            "names is "
            "not there); nothing ran.");
  outcome.finished.error.error_number = EACCES;
  EXPECT_EQ(ResultToProto(Ended(outcome)).message(),
            "The kernel could not execute the main file: Permission denied (it, or the interpreter that it "
            "names, may "
            "not be executed); nothing ran.");
  outcome.finished.error.error_number = ELIBBAD;
  EXPECT_EQ(ResultToProto(Ended(outcome)).message(),
            "The kernel could not execute the main file: Accessing a corrupted shared library; nothing ran.");
  outcome.finished.error.error_number = E2BIG;
  EXPECT_EQ(ResultToProto(Ended(outcome)).message(),
            "The kernel could not execute the program: its arguments and environment are too large together; "
            "nothing "
            "ran.");
  outcome.finished.error = {static_cast<uint32_t>(sandbox::SetupStage::kStubFiles), 0, ENOSPC, 0};
  EXPECT_EQ(ResultToProto(Ended(outcome)).message(),
            "The files of the request do not fit into the run's disk limit, and nothing ran.");
}

TEST(ConvertTest, DegradationsHaveTheNamesOfTheConfiguration) {
  ipc::IsolationReport report{};
  EXPECT_EQ(IsolationToProto(report).accepted_degradations_size(), 0);
  report.accepted_degradations = ipc::kDegradationSwapUnbounded;
  ASSERT_EQ(IsolationToProto(report).accepted_degradations_size(), 1);
  EXPECT_EQ(IsolationToProto(report).accepted_degradations(0), "swap_unbounded");
}

TEST(ConvertTest, ObservedCallsAreToldOfEachStep) {
  StepOutcome compile;
  compile.step = ipc::Step::kCompile;
  compile.observed = {{wire::kEventMagic, wire::EventType::kObserved, 57, 0, 3, {}}};
  compile.observed_unlisted = 2;
  StepOutcome run;
  run.observed = {{wire::kEventMagic, wire::EventType::kObserved, 41, 0, 5, {1, 2, 0, 0, 0, 0}}};
  run.observed_unlisted = 4;
  run.isolation = ipc::IsolationReport{};
  run.isolation->learning = 1;
  RunOutcome outcome;
  outcome.steps = {compile, run};
  const v1::RunResult result = ResultToProto(outcome);
  EXPECT_TRUE(result.isolation().learning());
  EXPECT_EQ(result.observed_calls_unlisted(), 6U);
  ASSERT_EQ(result.observed_calls_size(), 2);
  EXPECT_EQ(result.observed_calls(0).step(), "compile");
  EXPECT_EQ(result.observed_calls(0).name(), "fork");
  EXPECT_EQ(result.observed_calls(1).name(), "socket");
  EXPECT_EQ(result.observed_calls(1).count(), 5U);
  EXPECT_EQ(result.observed_calls(1).args(1), 2U);
  EXPECT_FALSE(ResultToProto(Ended(StepOutcome{})).isolation().learning());
}

TEST(ConvertTest, EveryEnumeratorOfTheBoundaryHasItsNamesake) {
  for (uint32_t value = 1; value <= static_cast<uint32_t>(ipc::Verdict::kServiceFailed); ++value) {
    StepOutcome outcome;
    outcome.finished.verdict = static_cast<ipc::Verdict>(value);
    outcome.finished.ended_by = ipc::Actor::kKernel;
    const v1::RunResult result = ResultToProto(Ended(outcome));
    EXPECT_EQ(static_cast<uint32_t>(result.verdict()), value);
    EXPECT_TRUE(v1::Verdict_IsValid(result.verdict()));
    EXPECT_EQ(result.ended_by(), v1::KERNEL);
    EXPECT_FALSE(result.message().empty());
  }
}

TEST(ConvertTest, WhatTheKernelDoesNotGiveIsAbsent) {
  StepOutcome outcome;
  outcome.finished.verdict = ipc::Verdict::kCompleted;
  outcome.finished.exited = 1;
  outcome.finished.usage.present = ipc::kUsageCpu | ipc::kUsageOomKills;
  outcome.finished.usage.cpu_user_us = 2'500;
  const v1::RunResult result = ResultToProto(Ended(outcome));
  EXPECT_TRUE(result.has_exit_code());
  EXPECT_FALSE(result.has_signal());
  EXPECT_EQ(result.usage().cpu_user_ms(), 2U);
  EXPECT_TRUE(result.usage().has_oom_kills());
  EXPECT_FALSE(result.usage().has_memory_peak_bytes());
  EXPECT_FALSE(result.usage().has_wall_time_ms());
  EXPECT_FALSE(result.has_limit());
}

TEST(ConvertTest, MemoryIsToldInPartsWhereItWasSampled) {
  StepOutcome outcome;
  outcome.finished.verdict = ipc::Verdict::kCompleted;
  EXPECT_FALSE(ResultToProto(Ended(outcome)).usage().has_memory_anonymous_bytes());
  EXPECT_FALSE(ResultToProto(Ended(outcome)).usage().has_memory_file_bytes());
  outcome.finished.usage.present = ipc::kUsageMemoryParts;
  outcome.finished.usage.memory_anonymous_bytes = 5;
  outcome.finished.usage.memory_file_bytes = 0;
  EXPECT_EQ(ResultToProto(Ended(outcome)).usage().memory_anonymous_bytes(), 5U);
  EXPECT_TRUE(ResultToProto(Ended(outcome)).usage().has_memory_file_bytes());
}

TEST(ConvertTest, LimitsHaveTheNamesOfTheApi) {
  const auto* descriptor = v1::Limits::descriptor();
  for (uint32_t value = 1; value < static_cast<uint32_t>(ipc::LimitName::kDenialRate); ++value) {
    const std::string name = LimitFieldName(static_cast<ipc::LimitName>(value));
    EXPECT_NE(descriptor->FindFieldByName(name), nullptr) << name;
  }
  EXPECT_EQ(LimitFieldName(ipc::LimitName::kDenialRate), "denial_rate");
  EXPECT_EQ(LimitFieldName(ipc::LimitName::kSockets), "sockets");
  EXPECT_EQ(LimitFieldName(ipc::LimitName::kNone), "");
}

TEST(ConvertTest, IsolationFactsHaveValueAndSource) {
  ipc::IsolationReport report{};
  report.payload_host_uid = 200'001;
  report.cap_bounding = 0x1f;
  report.namespaces = ipc::kNsUser | ipc::kNsPid | ipc::kNsCgroup;
  report.mounts = ipc::kMountAllNosuid | ipc::kMountPrivate;
  report.landlock_enforced = 1;
  report.filter_digest[0] = 0xab;
  report.root = ipc::RootKind::kHost;
  report.root_digest[0] = 0xcd;
  const v1::Isolation isolation = IsolationToProto(report);
  std::map<std::string, std::pair<std::string, v1::IsolationSource>> facts;
  for (const v1::IsolationFact& fact : isolation.facts()) {
    EXPECT_NE(fact.source(), v1::ISOLATION_SOURCE_UNSPECIFIED) << fact.name();
    EXPECT_TRUE(facts.emplace(fact.name(), std::pair(fact.value(), fact.source())).second) << fact.name();
  }
  EXPECT_EQ(facts.size(), 27U);
  EXPECT_EQ(facts.at("root"), (std::pair<std::string, v1::IsolationSource>("host", v1::KERNEL_READ)));
  EXPECT_EQ(facts.at("uid"), (std::pair<std::string, v1::IsolationSource>("200001", v1::KERNEL_READ)));
  EXPECT_EQ(facts.at("cap_bounding").first, "000000000000001f");
  EXPECT_EQ(facts.at("namespaces").first, "user,pid,cgroup");
  EXPECT_EQ(facts.at("mounts").first, "nosuid,private");
  EXPECT_EQ(facts.at("landlock_enforced").second, v1::PROBE);
  EXPECT_EQ(facts.at("filter_digest").first, "ab" + std::string(62, '0'));
  EXPECT_EQ(facts.at("filter_digest").second, v1::LOADED);
}

TEST(ConvertTest, ARootThatIsAnImageHasItsDigest) {
  ipc::IsolationReport report{};
  report.root = ipc::RootKind::kHost;
  EXPECT_EQ(IsolationToProto(report).root(), "host");
  report.root = ipc::RootKind::kImage;
  report.root_digest[31] = 0xcd;
  const v1::Isolation isolation = IsolationToProto(report);
  EXPECT_EQ(isolation.root(), "image");
  const auto digest = std::find_if(isolation.facts().begin(), isolation.facts().end(),
                                   [](const auto& fact) { return fact.name() == "root_digest"; });
  ASSERT_NE(digest, isolation.facts().end());
  EXPECT_EQ(digest->value(), "sha256:" + std::string(62, '0') + "cd");
  EXPECT_EQ(digest->source(), v1::LOADED);
}

TEST(ConvertTest, AProfileSaysWhoseFilesItShows) {
  CatalogEntry entry;
  EXPECT_EQ(ProfileToProto(entry).root(), "host");
  EXPECT_EQ(ProfileToProto(entry).root_digest(), "");
  entry.profile.image = policy::RootImage{"/i", "sha256:ab", ""};
  EXPECT_EQ(ProfileToProto(entry).root(), "image");
  EXPECT_EQ(ProfileToProto(entry).root_digest(), "sha256:ab");
}

TEST(ConvertTest, ProfileHasDefaultsCeilingsAndItsState) {
  const ProfileCatalog catalog = TestCatalog();
  const v1::Profile python = ProfileToProto(*catalog.Find("python"));
  EXPECT_TRUE(python.available());
  EXPECT_EQ(python.toolchain_version(), "3.11.2-1");
  EXPECT_EQ(python.default_limits().wall_time_ms(), 10'000U);
  EXPECT_EQ(python.ceilings().memory_bytes(), 2ULL << 30U);
  EXPECT_EQ(python.steps_size(), 1);
  ASSERT_EQ(python.packages_size(), 1);
  EXPECT_EQ(python.packages(0), "numpy");
  EXPECT_TRUE(python.interactive());
  const v1::Profile cobol = ProfileToProto(*catalog.Find("cobol"));
  EXPECT_FALSE(cobol.available());
  EXPECT_FALSE(cobol.interactive());
  EXPECT_NE(cobol.unavailable_reason().find("gnucobol4"), std::string::npos);
}

}  // namespace
}  // namespace caisson::dispatcher
