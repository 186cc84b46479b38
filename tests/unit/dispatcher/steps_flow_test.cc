// Runs with a compile step through whole Execute calls (flow_fixture.h): the test plays compiler and init.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "dispatcher/flow_fixture.h"
#include "dispatcher/status_details.h"
#include "ipc/bundle_records.h"
#include "ipc/output_records.h"

namespace caisson::dispatcher {
namespace {

using ipc::Done;
using ipc::Refused;
using ipc::WholeFile;
using wire::BundleRecord;

v1::ExecuteRequest RustRequest() {
  v1::ExecuteRequest request;
  request.set_profile("rust");
  request.set_main_file("src/main.rs");
  for (const char* path : {"lib.rs", "src/main.rs", "data.txt"}) {
    request.add_files()->set_path(path);
    request.mutable_files()->rbegin()->set_content(std::string("content of ") + path);
  }
  request.add_args("--arg");
  (*request.mutable_env())["NAME"] = "value";
  request.set_stdin("input");
  request.mutable_limits()->set_memory_bytes(100U << 20U);
  request.add_output_paths("out");
  return request;
}

// The names of a type's records.
std::vector<std::string> Names(const UniqueFd& bundle, BundleRecord type) {
  std::vector<std::string> names;
  for (const ipc::Record& record : ipc::Parse(ipc::Content(bundle.get()))) {
    if (record.type == type) {
      names.push_back(record.name);
    }
  }
  return names;
}

using StringList = std::vector<std::string>;

class StepsFlowTest : public FlowTest {
 protected:
  // Plays a compile step that hands these files on.
  void Compile(const std::string& stream, int32_t exit_code = 0) {
    FakeSandbox sandbox = supervisor_->StartOne();
    WriteAll(sandbox.outputs_write, stream);
    sandbox.CloseOutputs();
    supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, exit_code);
  }
};

TEST_F(StepsFlowTest, ACompiledProgramRunsInASecondSandbox) {
  Call call(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  EXPECT_EQ(supervisor_->last_prepare().step, ipc::Step::kCompile);
  EXPECT_EQ(supervisor_->last_start().limits.memory_bytes, 1ULL << 30U);
  EXPECT_EQ(supervisor_->last_start().limits.wall_time_ms, 30'000U);
  EXPECT_EQ(supervisor_->last_start().collect_ms, StepRun::kCollectMs);
  const UniqueFd& bundle = supervisor_->bundle();
  EXPECT_EQ(Names(bundle, BundleRecord::kMainFile), StringList{"src/main.rs"});
  EXPECT_EQ(Names(bundle, BundleRecord::kSource), (StringList{"src/main.rs", "lib.rs"}));
  EXPECT_EQ(Names(bundle, BundleRecord::kFile), (StringList{"lib.rs", "src/main.rs", "data.txt"}));
  EXPECT_EQ(Names(bundle, BundleRecord::kOutputPath), (StringList{"program", "lib"}));
  EXPECT_EQ(Names(bundle, BundleRecord::kEnvironment), StringList{"NAME=value"});
  EXPECT_TRUE(Names(bundle, BundleRecord::kArgument).empty());
  EXPECT_EQ(ReadToEnd(compiler.stdin_read), "");
  WriteAll(compiler.stderr_write, "warning: \xff\n");
  WriteAll(compiler.outputs_write,
           WholeFile("program", "machine code", 1) + WholeFile("data.txt", "new") + Done());
  compiler.CloseOutputs();
  supervisor_->SendFinished(compiler.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);

  FakeSandbox program = supervisor_->StartOne();
  EXPECT_NE(program.id, compiler.id);
  EXPECT_EQ(supervisor_->last_prepare().step, ipc::Step::kRun);
  EXPECT_EQ(supervisor_->last_start().limits.memory_bytes, 100U << 20U);
  EXPECT_EQ(Names(bundle, BundleRecord::kMainFile), StringList{"src/main.rs"});
  EXPECT_TRUE(Names(bundle, BundleRecord::kSource).empty());
  EXPECT_EQ(Names(bundle, BundleRecord::kArgument), StringList{"--arg"});
  EXPECT_EQ(Names(bundle, BundleRecord::kOutputPath), StringList{"out"});
  std::map<std::string, std::string> files;
  for (const ipc::Record& record : ipc::Parse(ipc::Content(bundle.get()))) {
    if (record.type == BundleRecord::kFile) {
      files[record.name] = record.data;
    }
  }
  EXPECT_EQ(files, (std::map<std::string, std::string>{{"program", "machine code"},
                                                       {"data.txt", "new"},
                                                       {"lib.rs", "content of lib.rs"},
                                                       {"src/main.rs", "content of src/main.rs"}}));
  EXPECT_EQ(ReadToEnd(program.stdin_read), "input");
  WriteAll(program.stdout_write, "hello");
  WriteAll(program.outputs_write, WholeFile("out", "o") + Done());
  program.CloseOutputs();
  supervisor_->SendFinished(program.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 7);

  const std::vector<v1::RunEvent> events = call.Rest();
  ASSERT_EQ(events.size(), 9U);
  EXPECT_TRUE(events[0].has_accepted());
  EXPECT_TRUE(events[1].has_started());
  EXPECT_EQ(events[2].output().step(), "compile");
  EXPECT_EQ(events[3].step_finished().step(), "compile");
  EXPECT_TRUE(events[4].has_started());
  EXPECT_EQ(events[5].output().step(), "run");
  EXPECT_EQ(events[5].output().offset(), 0U);
  EXPECT_EQ(events[6].output_file().path(), "out");
  EXPECT_EQ(events[7].step_finished().exit_code(), 7);
  const v1::RunResult& result = events[8].finished();
  EXPECT_EQ(result.verdict(), v1::COMPLETED);
  EXPECT_EQ(result.exit_code(), 7);
  EXPECT_EQ(result.stdout().bytes(), 5U);
  EXPECT_EQ(result.stderr().bytes(), 0U);
  ASSERT_EQ(result.steps_size(), 2);
  EXPECT_EQ(result.steps(0).step(), "compile");
  EXPECT_EQ(result.steps(0).diagnostics(), "warning: \xef\xbf\xbd\n");
  EXPECT_EQ(result.steps(1).step(), "run");
  EXPECT_EQ(result.steps(1).diagnostics(), "");
  ASSERT_EQ(result.outputs_size(), 1);
  EXPECT_TRUE(call.reader->Finish().ok());
  WaitUntilIdle();
}

TEST_F(StepsFlowTest, RefusedCallsOfBothStepsAreToldWithTheirStep) {
  const auto refuse = [](const FakeSandbox& sandbox, int32_t number, uint64_t count) {
    std::string events;
    for (const auto type : {wire::EventType::kDenial, wire::EventType::kDenialSummary}) {
      const uint64_t times = type == wire::EventType::kDenial ? 1 : count;
      const wire::Event event{wire::kEventMagic, type, number, 0, times, {}};
      // SAFETY: a fixed struct as bytes, which is how init writes it.
      events.append(reinterpret_cast<const char*>(&event), sizeof event);
    }
    WriteAll(sandbox.events_write, events);
  };
  Call call(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  refuse(compiler, 101, 5);
  WriteAll(compiler.outputs_write, WholeFile("program", "machine code", 1) + Done());
  compiler.CloseOutputs();
  supervisor_->SendFinished(compiler.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);
  FakeSandbox program = supervisor_->StartOne();
  refuse(program, 41, 2);
  WriteAll(program.outputs_write, Done());
  program.CloseOutputs();
  supervisor_->SendFinished(program.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);

  StringList live;
  const std::vector<v1::RunEvent> events = call.Rest();
  for (const v1::RunEvent& event : events) {
    if (event.has_denial()) {
      live.push_back(event.denial().step() + " " + event.denial().name());
    }
  }
  EXPECT_EQ(live, (StringList{"compile ptrace", "run socket"}));
  const v1::RunResult& result = events.back().finished();
  ASSERT_EQ(result.denials_size(), 2);
  EXPECT_EQ(result.denials(0).step(), "compile");
  EXPECT_EQ(result.denials(0).name(), "ptrace");
  EXPECT_EQ(result.denials(0).count(), 5U);
  EXPECT_EQ(result.denials(1).step(), "run");
  EXPECT_EQ(result.denials(1).name(), "socket");
  EXPECT_EQ(result.denials(1).count(), 2U);
  EXPECT_TRUE(call.reader->Finish().ok());
  WaitUntilIdle();
}

TEST_F(StepsFlowTest, CaissondThatDiesWhileACompilersLastOutputIsReadFailsTheRun) {
  Call call(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  WriteAll(compiler.outputs_write, WholeFile("program", "machine code", 1) + Done());
  supervisor_->SendFinished(compiler.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);
  supervisor_->Close();
  Call other(*stub_);
  other.Rest();
  static_cast<void>(other.reader->Finish());  // Refused or failed: when it ends, the loss is known.
  compiler.CloseOutputs();
  const std::vector<v1::RunEvent> events = call.Rest();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().finished().verdict(), v1::SERVICE_FAILED);
  EXPECT_NE(events.back().finished().message().find("the supervisor is gone"), std::string::npos);
  EXPECT_TRUE(call.reader->Finish().ok());
  WaitUntilIdle();
}

TEST_F(StepsFlowTest, ACompilerThatExitsWithAnErrorEndsTheRun) {
  Call call(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  WriteAll(compiler.stdout_write, std::string(40'000, 'a'));
  WriteAll(compiler.stderr_write, std::string(40'000, 'b'));
  WriteAll(compiler.outputs_write, Refused("program", wire::OutputRefusal::kNotFound) + Done());
  compiler.CloseOutputs();
  supervisor_->SendFinished(compiler.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 1);
  const v1::RunResult result = call.Rest().back().finished();
  EXPECT_EQ(result.verdict(), v1::COMPILE_FAILED);
  EXPECT_EQ(result.ended_by(), v1::PROGRAM);
  EXPECT_EQ(result.message(), "The program did not compile: the compiler exited with code 1.");
  EXPECT_FALSE(result.has_exit_code());
  EXPECT_FALSE(result.usage().has_wall_time_ms());
  ASSERT_EQ(result.steps_size(), 1);
  EXPECT_EQ(result.steps(0).verdict(), v1::COMPLETED);
  EXPECT_EQ(result.steps(0).exit_code(), 1);
  EXPECT_EQ(result.steps(0).diagnostics().size(), Run::kMaxDiagnosticsBytes);
  EXPECT_FALSE(result.outputs_incomplete());
  EXPECT_TRUE(supervisor_->IsSilent());
  WaitUntilIdle();
}

TEST_F(StepsFlowTest, ACompilerThatHitsALimitFailsWithIt) {
  Call call(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  compiler.CloseOutputs();
  auto finished = ipc::Make<ipc::Finished>();
  finished.sandbox = compiler.id;
  finished.verdict = ipc::Verdict::kMemoryLimit;
  finished.ended_by = ipc::Actor::kKernel;
  finished.limit = ipc::LimitName::kMemory;
  finished.limit_value = 1ULL << 30U;
  finished.limit_observed = 1ULL << 30U;
  finished.violation_syscall = -1;
  supervisor_->Send(finished);
  const v1::RunResult result = call.Rest().back().finished();
  EXPECT_EQ(result.verdict(), v1::COMPILE_FAILED);
  EXPECT_EQ(result.message(),
            "The program did not compile: the compiler was stopped, it used all of its 1 GiB of memory.");
  EXPECT_FALSE(result.has_limit());
  EXPECT_EQ(result.steps(0).verdict(), v1::MEMORY_LIMIT);
  EXPECT_EQ(result.steps(0).limit().name(), "memory_bytes");
}

TEST_F(StepsFlowTest, ACompilerThatMakesNothingFails) {
  Call call(*stub_, RustRequest());
  Compile(Refused("program", wire::OutputRefusal::kNotFound) + Done());
  const v1::RunResult result = call.Rest().back().finished();
  EXPECT_EQ(result.verdict(), v1::COMPILE_FAILED);
  EXPECT_EQ(result.message(),
            "The program did not compile: the compiler did not make what it is expected to make.");
  ASSERT_EQ(result.refused_outputs_size(), 1);
  EXPECT_EQ(result.refused_outputs(0).path(), "program");
  WaitUntilIdle();
}

TEST_F(StepsFlowTest, ACancellationEndsTheStepThatRuns) {
  Call call(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  const std::string name = call.Next().accepted().name();
  EXPECT_TRUE(CancelRun(name).ok());
  EXPECT_EQ(supervisor_->Expect<ipc::Cancel>().sandbox, compiler.id);
  compiler.CloseOutputs();
  supervisor_->SendFinished(compiler.id, ipc::Verdict::kCanceled, ipc::Actor::kClient);
  EXPECT_EQ(call.Rest().back().finished().verdict(), v1::CANCELED);
  WaitUntilIdle();
}

TEST_F(StepsFlowTest, ACancellationThatComesTooLateForTheCompilerEndsTheRun) {
  Call call(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  const std::string name = call.Next().accepted().name();
  EXPECT_TRUE(CancelRun(name).ok());
  supervisor_->Expect<ipc::Cancel>();
  WriteAll(compiler.outputs_write, WholeFile("program", "p") + Done());
  compiler.CloseOutputs();
  supervisor_->SendFinished(compiler.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);
  const v1::RunResult result = call.Rest().back().finished();
  EXPECT_EQ(result.verdict(), v1::CANCELED);
  EXPECT_EQ(result.message(), "Canceled: the client asked for it.");
  EXPECT_EQ(result.steps_size(), 1);
  EXPECT_TRUE(supervisor_->IsSilent());
  WaitUntilIdle();
}

TEST_F(StepsFlowTest, AClientThatGoesAwayWhileItCompilesEndsTheRun) {
  auto call = std::make_unique<Call>(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  const std::string name = call->Next().accepted().name();
  call->context->TryCancel();
  EXPECT_EQ(supervisor_->Expect<ipc::Cancel>().reason, ipc::CancelReason::kDisconnected);
  compiler.CloseOutputs();
  supervisor_->SendFinished(compiler.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);
  WaitUntilIdle();
  EXPECT_EQ(GetRun(name).result().verdict(), v1::CANCELED);
}

TEST_F(StepsFlowTest, ASandboxThatCannotBeBuiltIsNoFaultOfTheSource) {
  Call call(*stub_, RustRequest());
  Compile(WholeFile("program", "p") + Done());
  auto failed = ipc::Make<ipc::PrepareFailed>();
  failed.sandbox = supervisor_->Expect<ipc::Prepare>().sandbox;
  failed.refusal = ipc::Refusal::kSetupFailed;
  supervisor_->Send(failed);
  const v1::RunResult result = call.Rest().back().finished();
  EXPECT_EQ(result.verdict(), v1::SANDBOX_SETUP_FAILED);
  EXPECT_EQ(result.steps_size(), 1);
  WaitUntilIdle();
}

TEST_F(StepsFlowTest, ThePlaceIsHeldAcrossBothSteps) {
  Call first(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  Call second(*stub_);
  FakeSandbox other = supervisor_->StartOne();
  Call waiting(*stub_);
  EXPECT_EQ(waiting.Next().queued().position(), 1U);
  WriteAll(compiler.outputs_write, WholeFile("program", "p") + Done());
  compiler.CloseOutputs();
  supervisor_->SendFinished(compiler.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);
  // The next sandbox is that of the same run, not of the one that waits.
  FakeSandbox program = supervisor_->StartOne();
  EXPECT_EQ(Run::KeyOf(program.id), Run::KeyOf(compiler.id));
  EXPECT_TRUE(supervisor_->IsSilent());
  supervisor_->SendFinished(program.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);
  program.CloseOutputs();
  EXPECT_NE(Run::KeyOf(supervisor_->Expect<ipc::Prepare>().sandbox), Run::KeyOf(program.id));
}

TEST_F(StepsFlowTest, TheLossOfCaissondEndsACompilation) {
  Call call(*stub_, RustRequest());
  FakeSandbox compiler = supervisor_->StartOne();
  supervisor_->Close();
  EXPECT_EQ(call.Rest().back().finished().verdict(), v1::SERVICE_FAILED);
  WaitUntilIdle();
}

}  // namespace
}  // namespace caisson::dispatcher
