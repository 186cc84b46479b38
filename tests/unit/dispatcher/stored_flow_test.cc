// CreateRun and FollowRun, whole calls: what becomes of a run whose client is the disk.
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "dispatcher/flow_fixture.h"
#include "dispatcher/status_details.h"

namespace caisson::dispatcher {
namespace {

class StoredFlowTest : public FlowTest {
 protected:
  grpc::Status Create(v1::ExecuteRequest request, v1::Run& run) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return stub_->CreateRun(&context, request, &run);
  }
  v1::Run Created(const std::string& request_id = "") {
    v1::ExecuteRequest request = ValidExecuteRequest();
    request.set_request_id(request_id);
    v1::Run run;
    const grpc::Status status = Create(request, run);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return run;
  }
  struct Following {
    std::unique_ptr<grpc::ClientContext> context = std::make_unique<grpc::ClientContext>();
    std::unique_ptr<grpc::ClientReader<v1::RunEvent>> reader;

    v1::RunEvent Next() {
      v1::RunEvent event;
      static_cast<void>(reader->Read(&event));
      return event;
    }
    std::string Rest(v1::RunEvent* last = nullptr) {
      std::string bytes;
      v1::RunEvent event;
      while (reader->Read(&event)) {
        bytes += event.output().data();
        if (last != nullptr) {
          *last = event;
        }
      }
      return bytes;
    }
  };
  Following Follow(const std::string& name, uint64_t stdout_offset = 0) {
    Following following;
    following.context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::FollowRunRequest request;
    request.set_name(name);
    if (stdout_offset != 0) {
      v1::FollowRunRequest::StreamOffset* offset = request.add_offsets();
      offset->set_stream(v1::STREAM_STDOUT);
      offset->set_offset(stdout_offset);
    }
    following.reader = stub_->FollowRun(following.context.get(), request);
    return following;
  }
  void End(FakeSandbox& sandbox) {
    sandbox.CloseOutputs();
    supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);
  }
};

TEST_F(StoredFlowTest, AFollowerGetsWhatWasAndWhatComes) {
  const v1::Run run = Created();
  EXPECT_TRUE(run.followable());
  FakeSandbox sandbox = supervisor_->StartOne();
  WriteAll(sandbox.stdout_write, "first");
  Following following = Follow(run.name());
  EXPECT_EQ(following.Next().accepted().name(), run.name());
  EXPECT_TRUE(following.Next().has_started());
  EXPECT_EQ(following.Next().output().data(), "first");
  WriteAll(sandbox.stdout_write, "second");
  EXPECT_EQ(following.Next().output().data(), "second");
  End(sandbox);
  v1::RunEvent last;
  EXPECT_EQ(following.Rest(&last), "");
  EXPECT_EQ(last.finished().verdict(), v1::COMPLETED);
  EXPECT_TRUE(following.reader->Finish().ok());
  EXPECT_EQ(GetRun(run.name()).state(), v1::Run::FINISHED);
  EXPECT_EQ(Follow(run.name(), 7).Rest(), "cond");
}

TEST_F(StoredFlowTest, AFollowerThatLeavesEndsNothing) {
  const v1::Run run = Created();
  FakeSandbox sandbox = supervisor_->StartOne();
  {
    Following following = Follow(run.name());
    EXPECT_TRUE(following.Next().has_accepted());
    following.context->TryCancel();
    static_cast<void>(following.Rest());
    EXPECT_FALSE(following.reader->Finish().ok());
  }
  EXPECT_TRUE(supervisor_->IsSilent()) << "no CANCEL";
  End(sandbox);
  v1::RunEvent last;
  static_cast<void>(Follow(run.name()).Rest(&last));
  EXPECT_EQ(last.finished().verdict(), v1::COMPLETED);
}

TEST_F(StoredFlowTest, ARefusedRunLeavesNothingAndItsKeyIsFree) {
  std::vector<v1::Run> runs;
  for (int i = 0; i < 4; ++i) {  // two run, two wait
    runs.push_back(Created());
  }
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.set_request_id("key");
  v1::Run run;
  EXPECT_EQ(ReasonOf(Create(request, run)), "QUEUE_FULL");
  grpc::ClientContext context;
  v1::ListRunsResponse list;
  ASSERT_TRUE(stub_->ListRuns(&context, v1::ListRunsRequest(), &list).ok());
  EXPECT_EQ(list.runs_size(), 4);
  EXPECT_TRUE(CancelRun(runs.back().name()).ok());
  EXPECT_TRUE(Create(request, run).ok());
  v1::Run again;
  EXPECT_TRUE(Create(request, again).ok()) << "a full queue has room for what is in it already";
  EXPECT_EQ(again.name(), run.name());
}

TEST_F(StoredFlowTest, ARunCanceledWhileItWaitsIsStoredAsCanceled) {
  const v1::Run first = Created();
  const v1::Run second = Created();
  const v1::Run third = Created();
  EXPECT_TRUE(CancelRun(third.name()).ok());
  v1::RunEvent last;
  Following following = Follow(third.name());
  static_cast<void>(following.Rest(&last));
  EXPECT_EQ(last.finished().verdict(), v1::CANCELED);
  EXPECT_EQ(last.finished().ended_by(), v1::CLIENT);
}

TEST_F(StoredFlowTest, ARunThatWaitsWhenTheServiceStopsIsStoredAsTheOperatorsDecision) {
  static_cast<void>(Created());
  static_cast<void>(Created());
  const v1::Run third = Created();
  supervisor_->Send(ipc::Make<ipc::Drain>());
  v1::RunEvent last;
  Following following = Follow(third.name());
  static_cast<void>(following.Rest(&last));
  EXPECT_EQ(last.finished().verdict(), v1::CANCELED);
  EXPECT_EQ(last.finished().ended_by(), v1::OPERATOR);
}

TEST_F(StoredFlowTest, TheLossOfTheSupervisorIsStoredAsAFailureOfTheService) {
  const v1::Run run = Created();
  FakeSandbox sandbox = supervisor_->StartOne();
  supervisor_->Close();
  v1::RunEvent last;
  Following following = Follow(run.name());
  static_cast<void>(following.Rest(&last));
  EXPECT_EQ(last.finished().verdict(), v1::SERVICE_FAILED);
}

TEST_F(StoredFlowTest, RunsOfCallsAreRecordedToo) {
  Call call(*stub_);
  EXPECT_TRUE(call.Next().has_accepted());
  FakeSandbox sandbox = supervisor_->StartOne();
  End(sandbox);
  const std::vector<v1::RunEvent> events = call.Rest();
  ASSERT_FALSE(events.empty());
  WaitUntilIdle();
  WaitUntilStored();
  grpc::ClientContext context;
  v1::ListRunsResponse list;
  ASSERT_TRUE(stub_->ListRuns(&context, v1::ListRunsRequest(), &list).ok());
  ASSERT_EQ(list.runs_size(), 1);
  EXPECT_EQ(list.runs(0).state(), v1::Run::FINISHED);
  EXPECT_FALSE(list.runs(0).followable());
  Following following = Follow(list.runs(0).name());
  static_cast<void>(following.Rest());
  EXPECT_EQ(ReasonOf(following.reader->Finish()), "OUTPUT_NOT_STORED");
}

}  // namespace
}  // namespace caisson::dispatcher
