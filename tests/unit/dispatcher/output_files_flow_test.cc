// Output files through whole Execute calls (flow_fixture.h): the test writes what init would.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "dispatcher/flow_fixture.h"
#include "ipc/output_records.h"

namespace caisson::dispatcher {
namespace {

using ipc::Data;
using ipc::Done;
using ipc::File;
using ipc::Refused;
using ipc::WholeFile;

v1::ExecuteRequest RequestWithOutputs() {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.add_output_paths("out");
  request.add_output_paths(".");
  return request;
}

using OutputFilesFlowTest = FlowTest;

TEST_F(OutputFilesFlowTest, FilesComeAfterTheLastOutputAndBeforeTheEnd) {
  Call call(*stub_, RequestWithOutputs());
  FakeSandbox sandbox = supervisor_->StartOne();
  EXPECT_EQ(supervisor_->last_start().collect_ms, StepRun::kCollectMs);
  WriteAll(sandbox.outputs_write,
           WholeFile("out/a", "abc") + Refused("out/l") + WholeFile("b", "") + Done(0));
  EXPECT_TRUE(supervisor_->IsSilent());  // 100 ms in which the files could have been told too early
  WriteAll(sandbox.stdout_write, "last words");
  sandbox.CloseOutputs();
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  const std::vector<v1::RunEvent> events = call.Rest();
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[2].output().data(), "last words");
  EXPECT_EQ(events[3].output_file().path(), "out/a");
  EXPECT_EQ(events[3].output_file().data(), "abc");
  EXPECT_EQ(events[4].output_file().path(), "b");
  EXPECT_TRUE(events[5].has_step_finished());
  const v1::RunResult& result = events[6].finished();
  ASSERT_EQ(result.outputs_size(), 2);
  EXPECT_EQ(result.outputs(0).path(), "out/a");
  EXPECT_EQ(result.outputs(0).digest().size(), 7U + 64U);
  ASSERT_EQ(result.refused_outputs_size(), 1);
  EXPECT_EQ(result.refused_outputs(0).path(), "out/l");
  EXPECT_FALSE(result.outputs_incomplete());
  EXPECT_EQ(result.verdict(), v1::COMPLETED);
}

TEST_F(OutputFilesFlowTest, WhoAsksForNoFilesGetsNoneWhateverInitSends) {
  Call call(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  EXPECT_EQ(supervisor_->last_start().collect_ms, 0U);
  EXPECT_TRUE(call.Next().has_accepted());
  EXPECT_TRUE(call.Next().has_started());                     // It has the pipes now.
  EXPECT_EQ(write(sandbox.outputs_write.get(), "x", 1), -1);  // the pipe has no reader
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  sandbox.CloseOutputs();
  const v1::RunResult result = call.Rest().back().finished();
  EXPECT_EQ(result.outputs_size(), 0);
  EXPECT_FALSE(result.outputs_incomplete());
}

TEST_F(OutputFilesFlowTest, ACollectionThatIsCutOffIsIncompleteAndKeepsWhatWasComplete) {
  Call call(*stub_, RequestWithOutputs());
  FakeSandbox sandbox = supervisor_->StartOne();
  WriteAll(sandbox.outputs_write, WholeFile("a", "abc") + File("b", 100) + Data("only so far"));
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kWallTimeLimit, ipc::Actor::kSupervisor);
  sandbox.CloseOutputs();
  const v1::RunResult result = call.Rest().back().finished();
  EXPECT_EQ(result.verdict(), v1::WALL_TIME_LIMIT);
  ASSERT_EQ(result.outputs_size(), 1);
  EXPECT_EQ(result.outputs(0).path(), "a");
  EXPECT_TRUE(result.outputs_incomplete());
}

TEST_F(OutputFilesFlowTest, AnInitThatBreaksTheStreamIsNotListenedToAnyMore) {
  Call call(*stub_, RequestWithOutputs());
  FakeSandbox sandbox = supervisor_->StartOne();
  WriteAll(sandbox.outputs_write,
           WholeFile("a", "abc") + WholeFile("../../etc/passwd", "x") + WholeFile("b", "x"));
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  sandbox.CloseOutputs();
  const std::vector<v1::RunEvent> events = call.Rest();
  const v1::RunResult& result = events.back().finished();
  EXPECT_EQ(result.outputs_size(), 1);
  EXPECT_TRUE(result.outputs_incomplete());
  for (const v1::RunEvent& event : events) {
    EXPECT_TRUE(!event.has_output_file() || event.output_file().path() == "a");
  }
}

TEST_F(OutputFilesFlowTest, ARunThatNeverStartedLacksNothing) {
  Call call(*stub_, RequestWithOutputs());
  auto failed = ipc::Make<ipc::PrepareFailed>();
  failed.sandbox = supervisor_->Expect<ipc::Prepare>().sandbox;
  failed.refusal = ipc::Refusal::kSetupFailed;
  supervisor_->Send(failed);
  EXPECT_FALSE(call.Rest().back().finished().outputs_incomplete());
}

TEST_F(OutputFilesFlowTest, AClientThatGoesAwayEndsTheCollector) {
  auto call = std::make_unique<Call>(*stub_, RequestWithOutputs());
  FakeSandbox sandbox = supervisor_->StartOne();
  const std::string name = call->Next().accepted().name();
  WriteAll(sandbox.outputs_write, File("a", 1U << 20U));
  call->context->TryCancel();
  EXPECT_EQ(supervisor_->Expect<ipc::Cancel>().reason, ipc::CancelReason::kDisconnected);
  while (write(sandbox.outputs_write.get(), "", 0) == 0 &&
         write(sandbox.outputs_write.get(), Data("x").data(), Data("x").size()) > 0) {
  }
  EXPECT_EQ(errno, EPIPE);
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  sandbox.CloseOutputs();
  WaitUntilIdle();
  EXPECT_TRUE(GetRun(name).result().outputs_incomplete());
}

TEST_F(OutputFilesFlowTest, ASlowClientPausesTheCollector) {
  Call call(*stub_, RequestWithOutputs());
  FakeSandbox sandbox = supervisor_->StartOne();
  sandbox.stdout_write.reset();
  sandbox.stderr_write.reset();
  constexpr uint64_t kPieces =
      1'000;  // 62.5 MiB, far more than the queue, gRPC's flow control and the pipe hold
  WriteAll(sandbox.outputs_write, File("large", kPieces * wire::kMaxOutputChunkBytes));
  ASSERT_EQ(fcntl(sandbox.outputs_write.get(), F_SETFL, O_NONBLOCK), 0);
  const std::string piece = Data(std::string(wire::kMaxOutputChunkBytes, 'x'));
  size_t written = 0;
  int refused_in_a_row = 0;
  while (refused_in_a_row < 20 && written < kPieces * piece.size()) {
    const size_t at = written % piece.size();
    const ssize_t wrote = write(sandbox.outputs_write.get(), piece.data() + at, piece.size() - at);
    if (wrote > 0) {
      written += static_cast<size_t>(wrote);
      refused_in_a_row = 0;
    } else {
      ++refused_in_a_row;
      EXPECT_TRUE(supervisor_->IsSilent());  // 100 ms in which the dispatcher could have read
    }
  }
  EXPECT_LT(written, 24U << 20U);
  // The collector goes on as soon as the client reads.
  ASSERT_EQ(fcntl(sandbox.outputs_write.get(), F_SETFL, 0), 0);
  std::thread init([&] {
    std::string rest;
    for (size_t at = written % piece.size(); written < kPieces * piece.size(); at = 0) {
      WriteAll(sandbox.outputs_write, piece.substr(at));
      written += piece.size() - at;
    }
    WriteAll(sandbox.outputs_write, ipc::FileEnd() + Done());
    sandbox.CloseOutputs();
    supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  });
  uint64_t received = 0;
  v1::RunResult result;
  for (const v1::RunEvent& event : call.Rest()) {
    received += event.output_file().data().size();
    result = event.finished();
  }
  init.join();
  EXPECT_EQ(received, kPieces * wire::kMaxOutputChunkBytes);
  EXPECT_EQ(result.outputs_size(), 1);
}

}  // namespace
}  // namespace caisson::dispatcher
