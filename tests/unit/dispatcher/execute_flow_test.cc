// Whole Execute calls (flow_fixture.h), but for output files and steps, which have files of their own.
#include <fcntl.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/memfd.h"
#include "dispatcher/flow_fixture.h"
#include "dispatcher/status_details.h"

namespace caisson::dispatcher {
namespace {

using ExecuteFlowTest = FlowTest;

TEST_F(ExecuteFlowTest, OutputAndDenialsThatOvertakeStartedAreToldAfterIt) {
  Call call(*stub_);
  FakeSandbox sandbox = supervisor_->SendPrepared(supervisor_->Expect<ipc::Prepare>().sandbox);
  EXPECT_EQ(supervisor_->Expect<ipc::Start>().sandbox, sandbox.id);
  wire::Event denial{wire::kEventMagic, wire::EventType::kDenial, 41, 0, 1, {2, 1, 0, 0, 0, 0}};
  WriteAll(sandbox.events_write, std::string(reinterpret_cast<const char*>(&denial), sizeof denial));
  WriteAll(sandbox.stdout_write, "early");
  sandbox.CloseOutputs();
  EXPECT_FALSE(call.Next().accepted().name().empty());
  EXPECT_TRUE(supervisor_->IsSilent());  // Time enough for the dispatcher to read what it must not read yet.
  auto started = ipc::Make<ipc::Started>();
  started.sandbox = sandbox.id;
  started.isolation.root = ipc::RootKind::kHost;
  supervisor_->Send(started);
  EXPECT_TRUE(call.Next().has_started());
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  const std::vector<v1::RunEvent> rest = call.Rest();
  ASSERT_EQ(rest.size(), 4U);
  EXPECT_TRUE(rest[0].has_denial() || rest[1].has_denial());
  EXPECT_EQ((rest[0].has_output() ? rest[0] : rest[1]).output().data(), "early");
  EXPECT_TRUE(rest[2].has_step_finished());
  EXPECT_TRUE(rest[3].has_finished());
}

TEST_F(ExecuteFlowTest, ARunGoesFromAcceptedToFinished) {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.set_stdin("input");
  request.mutable_limits()->set_pids(5);
  (*request.mutable_labels())["team"] = "blue";
  Call call(*stub_, request);
  FakeSandbox sandbox = supervisor_->StartOne();
  EXPECT_EQ(supervisor_->last_start().limits.pids, 5U);
  EXPECT_EQ(supervisor_->last_start().limits.wall_time_ms, 10'000U);
  EXPECT_TRUE(CheckSealedMemfd(supervisor_->bundle().get(), wire::kMaxBundleBytes).ok());
  EXPECT_EQ(ReadToEnd(sandbox.stdin_read), "input");

  const std::string name = call.Next().accepted().name();
  const v1::RunEvent started = call.Next();
  EXPECT_EQ(started.started().isolation().facts(0).value(), "4711");
  EXPECT_EQ(GetRun(name).state(), v1::Run::RUNNING);
  WriteAll(sandbox.stdout_write, "out");
  const v1::RunEvent output = call.Next();
  EXPECT_EQ(output.output().stream(), v1::STREAM_STDOUT);
  EXPECT_EQ(output.output().data(), "out");
  WriteAll(sandbox.stderr_write, "err");
  EXPECT_EQ(call.Next().output().stream(), v1::STREAM_STDERR);
  WriteAll(sandbox.stdout_write, "more");
  EXPECT_EQ(call.Next().output().offset(), 3U);
  wire::Event denial{wire::kEventMagic, wire::EventType::kDenial, 41, 0, 1, {2, 1, 0, 0, 0, 0}};
  WriteAll(sandbox.events_write, std::string(reinterpret_cast<const char*>(&denial), sizeof denial));
  EXPECT_EQ(call.Next().denial().name(), "socket");
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 3);
  sandbox.CloseOutputs();

  const v1::RunEvent step = call.Next();
  EXPECT_EQ(step.step_finished().step(), "run");
  EXPECT_EQ(step.step_finished().verdict(), v1::COMPLETED);
  EXPECT_EQ(step.step_finished().exit_code(), 3);
  const v1::RunResult result = call.Next().finished();
  EXPECT_EQ(result.verdict(), v1::COMPLETED);
  EXPECT_EQ(result.exit_code(), 3);
  EXPECT_EQ(result.steps_size(), 1);
  EXPECT_EQ(result.stdout().bytes(), 7U);
  EXPECT_EQ(result.stderr().delivered_bytes(), 3U);
  EXPECT_EQ(result.denials(0).name(), "socket");
  EXPECT_TRUE(call.Rest().empty());
  EXPECT_TRUE(call.reader->Finish().ok());
  const v1::Run run = GetRun(name);
  EXPECT_EQ(run.state(), v1::Run::FINISHED);
  EXPECT_EQ(run.labels().at("team"), "blue");
  EXPECT_EQ(run.result().message(), "The program exited with code 3.");
}

TEST_F(ExecuteFlowTest, FinishedWaitsForTheEndOfThePipes) {
  Call call(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  WriteAll(sandbox.stdout_write, "last words");
  sandbox.CloseOutputs();
  const std::vector<v1::RunEvent> events = call.Rest();
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[2].output().data(), "last words");
  EXPECT_TRUE(events[3].has_step_finished());
  EXPECT_TRUE(events[4].has_finished());
}

TEST_F(ExecuteFlowTest, AClientThatGoesAwayEndsItsRun) {
  auto call = std::make_unique<Call>(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  const std::string name = call->Next().accepted().name();
  call->context->TryCancel();
  const auto cancel = supervisor_->Expect<ipc::Cancel>();
  EXPECT_EQ(cancel.sandbox, sandbox.id);
  EXPECT_EQ(cancel.reason, ipc::CancelReason::kDisconnected);
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCanceled, ipc::Actor::kClient);
  sandbox.CloseOutputs();
  WaitUntilIdle();
  EXPECT_EQ(GetRun(name).result().message(), "Canceled: the client went away.");
}

TEST_F(ExecuteFlowTest, APassedDeadlineIsToldFromALostClient) {
  Call call(*stub_, ValidExecuteRequest(), 300);
  FakeSandbox sandbox = supervisor_->StartOne();
  EXPECT_EQ(supervisor_->Expect<ipc::Cancel>().reason, ipc::CancelReason::kDeadline);
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCanceled, ipc::Actor::kClient);
  sandbox.CloseOutputs();
  call.Rest();
  EXPECT_EQ(call.reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  WaitUntilIdle();
}

TEST_F(ExecuteFlowTest, CancelWhilePreparingFollowsTheStart) {
  Call call(*stub_);
  const auto prepare = supervisor_->Expect<ipc::Prepare>();
  EXPECT_EQ(supervisor_->Expect<ipc::Start>().sandbox, prepare.sandbox);
  const std::string name = call.Next().accepted().name();
  EXPECT_TRUE(CancelRun(name).ok());
  EXPECT_EQ(supervisor_->Expect<ipc::Cancel>().reason, ipc::CancelReason::kClient);
  FakeSandbox sandbox = supervisor_->SendPrepared(prepare.sandbox);  // it crossed the CANCEL
  EXPECT_TRUE(supervisor_->IsSilent());
  sandbox.CloseOutputs();
  supervisor_->SendFinished(prepare.sandbox, ipc::Verdict::kCanceled, ipc::Actor::kClient);
  const v1::RunResult result = call.Next().finished();
  EXPECT_EQ(result.verdict(), v1::CANCELED);
  EXPECT_EQ(result.message(), "Canceled: the client asked for it.");
  EXPECT_TRUE(call.reader->Finish().ok());
}

TEST_F(ExecuteFlowTest, WaitingRunsAreToldTheirPlaceAndTheNextMovesUp) {
  Call first(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  Call second(*stub_);
  const FakeSandbox second_sandbox = supervisor_->StartOne();
  Call third(*stub_);
  EXPECT_EQ(third.Next().queued().position(), 1U);
  Call fourth(*stub_);
  EXPECT_EQ(fourth.Next().queued().position(), 2U);
  Call fifth(*stub_);
  EXPECT_EQ(fifth.Next().event_case(), v1::RunEvent::EVENT_NOT_SET);
  const grpc::Status refused = fifth.reader->Finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(refused), "QUEUE_FULL");
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(refused).has_value());

  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  sandbox.CloseOutputs();
  EXPECT_NE(supervisor_->Expect<ipc::Prepare>().sandbox, 0U);
  EXPECT_TRUE(third.Next().has_accepted());
  EXPECT_EQ(fourth.Next().queued().position(), 1U);
}

TEST_F(ExecuteFlowTest, AWaitingClientThatGoesAwayLeavesTheQueue) {
  Call first(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  Call second(*stub_);
  const FakeSandbox second_sandbox = supervisor_->StartOne();
  Call third(*stub_);
  EXPECT_EQ(third.Next().queued().position(), 1U);
  Call fourth(*stub_);
  EXPECT_EQ(fourth.Next().queued().position(), 2U);
  third.context->TryCancel();
  EXPECT_EQ(fourth.Next().queued().position(), 1U);
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  sandbox.CloseOutputs();
  supervisor_->Expect<ipc::Prepare>();
  EXPECT_TRUE(fourth.Next().has_accepted());
}

TEST_F(ExecuteFlowTest, AWaitingRunCanBeCanceledByName) {
  Call first(*stub_);
  const FakeSandbox sandbox = supervisor_->StartOne();
  Call second(*stub_);
  const FakeSandbox second_sandbox = supervisor_->StartOne();
  Call third(*stub_);
  EXPECT_EQ(third.Next().queued().position(), 1U);
  grpc::ClientContext context;
  v1::ListRunsResponse list;
  ASSERT_TRUE(stub_->ListRuns(&context, v1::ListRunsRequest(), &list).ok());
  ASSERT_EQ(list.runs_size(), 3);
  EXPECT_EQ(list.runs(0).state(), v1::Run::QUEUED);
  EXPECT_TRUE(CancelRun(list.runs(0).name()).ok());
  EXPECT_TRUE(third.Rest().empty());
  EXPECT_EQ(ReasonOf(third.reader->Finish()), "RUN_CANCELED");
  EXPECT_EQ(GetRun(list.runs(0).name()).result().verdict(), v1::CANCELED);
}

TEST_F(ExecuteFlowTest, OutputBeyondTheLimitEndsTheRunUnderKill) {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.set_output_overflow(v1::OUTPUT_OVERFLOW_KILL);
  request.mutable_limits()->set_output_bytes(10);
  Call call(*stub_, request);
  FakeSandbox sandbox = supervisor_->StartOne();
  WriteAll(sandbox.stderr_write, "0123456789abcdef");
  const auto cancel = supervisor_->Expect<ipc::Cancel>();
  EXPECT_EQ(cancel.reason, ipc::CancelReason::kOutputLimit);
  EXPECT_EQ(cancel.detail, 2U);
  EXPECT_EQ(cancel.limit, 10U);
  EXPECT_EQ(cancel.observed, 16U);
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kOutputLimit, ipc::Actor::kSupervisor);
  sandbox.CloseOutputs();
  const v1::RunResult result = call.Rest().back().finished();
  EXPECT_EQ(result.verdict(), v1::OUTPUT_LIMIT);
  EXPECT_EQ(result.stderr().delivered_bytes(), 10U);
  EXPECT_TRUE(result.stderr().truncated());
}

TEST_F(ExecuteFlowTest, ASlowReaderBlocksItsOwnPayloadOnly) {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.mutable_limits()->set_output_bytes(64ULL << 20U);
  Call slow(*stub_, request);
  FakeSandbox slow_sandbox = supervisor_->StartOne();
  // The payload of a client that does not read: what it can write is bounded by our queue, gRPC's flow
  // control and the pipe, far below the 64 MiB it may.
  ASSERT_EQ(fcntl(slow_sandbox.stdout_write.get(), F_SETFL, O_NONBLOCK), 0);
  const std::string chunk(64 * 1024, 'x');
  size_t accepted = 0;
  int refused_in_a_row = 0;
  while (refused_in_a_row < 20 && accepted < (60U << 20U)) {
    const ssize_t wrote = write(slow_sandbox.stdout_write.get(), chunk.data(), chunk.size());
    if (wrote > 0) {
      accepted += static_cast<size_t>(wrote);
      refused_in_a_row = 0;
    } else {
      ++refused_in_a_row;
      EXPECT_TRUE(supervisor_->IsSilent());  // 100 ms in which the dispatcher could have read
    }
  }
  EXPECT_LT(accepted, 24U << 20U);

  Call quick(*stub_);
  FakeSandbox quick_sandbox = supervisor_->StartOne();
  supervisor_->SendFinished(quick_sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  quick_sandbox.CloseOutputs();
  EXPECT_TRUE(quick.Rest().back().has_finished());

  supervisor_->SendFinished(slow_sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  slow_sandbox.CloseOutputs();
  const std::vector<v1::RunEvent> events = slow.Rest();
  EXPECT_EQ(events.back().finished().stdout().delivered_bytes(), accepted);
}

TEST_F(ExecuteFlowTest, APrepareThatFailsIsAResultNotAStatus) {
  Call call(*stub_);
  const auto prepare = supervisor_->Expect<ipc::Prepare>();
  auto failed = ipc::Make<ipc::PrepareFailed>();
  failed.sandbox = prepare.sandbox;
  failed.refusal = ipc::Refusal::kSetupFailed;
  failed.error = {17, 0, EPERM, 0};
  ASSERT_TRUE(ipc::SetText(failed.message, "mount the work directory: Operation not permitted"));
  supervisor_->Send(failed);
  const std::vector<v1::RunEvent> events = call.Rest();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].finished().verdict(), v1::SANDBOX_SETUP_FAILED);
  EXPECT_NE(events[1].finished().message().find("mount the work directory"), std::string::npos);
  EXPECT_TRUE(call.reader->Finish().ok());
}

TEST_F(ExecuteFlowTest, DrainingRefusesNewAndWaitingRunsAndLetsOthersEnd) {
  Call first(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  Call second(*stub_);
  FakeSandbox second_sandbox = supervisor_->StartOne();
  Call waiting(*stub_);
  EXPECT_EQ(waiting.Next().queued().position(), 1U);
  supervisor_->Send(ipc::Make<ipc::Drain>());
  EXPECT_TRUE(waiting.Rest().empty());
  EXPECT_EQ(ReasonOf(waiting.reader->Finish()), "SHUTTING_DOWN");
  Call late(*stub_);
  EXPECT_TRUE(late.Rest().empty());
  const grpc::Status status = late.reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "SHUTTING_DOWN");
  for (FakeSandbox* running : {&sandbox, &second_sandbox}) {
    supervisor_->SendFinished(running->id, ipc::Verdict::kCanceled, ipc::Actor::kOperator);
    running->CloseOutputs();
  }
  EXPECT_EQ(first.Rest().back().finished().message(), "Canceled: the service was shut down.");
  WaitUntilIdle();
}

TEST_F(ExecuteFlowTest, WhenCaissondDiesEveryRunEndsAsAFailureOfTheService) {
  Call running(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  Call preparing(*stub_);
  supervisor_->Expect<ipc::Prepare>();
  Call waiting(*stub_);
  EXPECT_EQ(waiting.Next().queued().position(), 1U);
  supervisor_->Close();
  EXPECT_EQ(running.Rest().back().finished().verdict(), v1::SERVICE_FAILED);
  EXPECT_EQ(preparing.Rest().back().finished().verdict(), v1::SERVICE_FAILED);
  EXPECT_TRUE(waiting.Rest().empty());
  EXPECT_EQ(ReasonOf(waiting.reader->Finish()), "SUPERVISOR_UNAVAILABLE");
  WaitUntilIdle();
}

TEST_F(ExecuteFlowTest, InvalidRequestsReachNobody) {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.mutable_limits()->set_pids(0);
  Call call(*stub_, request);
  EXPECT_TRUE(call.Rest().empty());
  const grpc::Status status = call.reader->Finish();
  EXPECT_EQ(ReasonOf(status), "INVALID_REQUEST");
  EXPECT_EQ(FieldsOf(status), std::set<std::string>{"limits.pids"});
  EXPECT_TRUE(supervisor_->IsSilent());
}

// The client's own protobuf would not write such a request, so it is sent as bytes.
grpc::Status ExecuteBytes(const std::shared_ptr<grpc::Channel>& channel, const std::string& bytes) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, "/caisson.v1.RunService/Execute", &queue);
  int tag = 0;
  void* got = nullptr;
  bool ok = false;
  call->StartCall(&tag);
  queue.Next(&got, &ok);
  call->WriteLast(request, grpc::WriteOptions(), &tag);
  queue.Next(&got, &ok);
  grpc::Status status;
  call->Finish(&status, &tag);
  queue.Next(&got, &ok);
  return status;
}

TEST_F(ExecuteFlowTest, InvalidUtf8IsRefusedNamingTheFields) {
  const grpc::Status status = ExecuteBytes(channel_, "\x12\x02\xc3\x28\x1a\x03\x0a\x01\xff");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldsOf(status), (std::set<std::string>{"profile", "files[0].path"}));
}

TEST_F(ExecuteFlowTest, BytesThatAreNoMessageAreRefused) {
  EXPECT_EQ(ReasonOf(ExecuteBytes(channel_, "\xff\xff\xff")), "INVALID_REQUEST");
}

TEST_F(ExecuteFlowTest, AMessageFarTooLargeIsRefusedByGrpc) {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.set_stdin(std::string(18U << 20U, 'x'));
  Call call(*stub_, request);
  EXPECT_TRUE(call.Rest().empty());
  EXPECT_EQ(call.reader->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(ExecuteFlowTest, NamesAndPageTokensAreCheckedBeforeTheyAreUsed) {
  EXPECT_EQ(ReasonOf(CancelRun("runs/x")), "INVALID_REQUEST");
  EXPECT_EQ(ReasonOf(CancelRun("runs/0123456789abcdef0123456789abcdef")), "RUN_NOT_FOUND");
  for (const char* token : {"x", "0", "-1", "1x", "99999999999999999999999"}) {
    grpc::ClientContext context;
    v1::ListRunsRequest request;
    request.set_page_token(token);
    v1::ListRunsResponse response;
    EXPECT_EQ(FieldsOf(stub_->ListRuns(&context, request, &response)), std::set<std::string>{"page_token"})
        << token;
  }
  grpc::ClientContext context;
  v1::ListRunsRequest request;
  request.set_filter("color = red");
  v1::ListRunsResponse response;
  EXPECT_EQ(FieldsOf(stub_->ListRuns(&context, request, &response)), std::set<std::string>{"filter"});
}

TEST_F(ExecuteFlowTest, ProfilesComeInPagesAndTheServerTellsItsBounds) {
  v1::ListProfilesRequest request;
  request.set_page_size(3);
  grpc::ClientContext first;
  v1::ListProfilesResponse page;
  ASSERT_TRUE(stub_->ListProfiles(&first, request, &page).ok());
  EXPECT_EQ(page.profiles_size(), 3);
  request.set_page_token(page.next_page_token());
  grpc::ClientContext second;
  v1::ListProfilesResponse rest;
  ASSERT_TRUE(stub_->ListProfiles(&second, request, &rest).ok());
  EXPECT_EQ(rest.profiles_size(), 1);
  EXPECT_TRUE(rest.next_page_token().empty());
  grpc::ClientContext third;
  v1::ServerInfo info;
  ASSERT_TRUE(stub_->GetServerInfo(&third, v1::GetServerInfoRequest(), &info).ok());
  EXPECT_EQ(info.max_runs(), 2U);
  EXPECT_EQ(info.cgroup_backend(), "hybrid");
}

}  // namespace
}  // namespace caisson::dispatcher
