// Calls of several tenants on one service (flow_fixture.h): who sees whose runs, and what each role may do.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dispatcher/flow_fixture.h"
#include "dispatcher/status_details.h"

namespace caisson::dispatcher {
namespace {

enum Number : size_t { kAlpha, kBeta, kObserver, kOperator };

class TenantsFlowTest : public FlowTest {
 protected:
  void SetUp() override {
    Start(2, 4,
          {{TenantId("alpha"), Role::kRun},
           {TenantId("beta"), Role::kRun},
           {TenantId("alpha"), Role::kObserve},
           {TenantId(), Role::kOperator}});
  }
  grpc::Status Get(Number caller, const std::string& name, v1::Run* found = nullptr) {
    grpc::ClientContext context;
    v1::GetRunRequest request;
    request.set_name(name);
    v1::Run run;
    return StubOf(caller)->GetRun(&context, request, found == nullptr ? &run : found);
  }
  grpc::Status Create(Number caller, const std::string& request_id, v1::Run& run) {
    grpc::ClientContext context;
    v1::ExecuteRequest request = ValidExecuteRequest();
    request.set_request_id(request_id);
    return StubOf(caller)->CreateRun(&context, request, &run);
  }
  std::vector<std::string> Names(Number caller) {
    grpc::ClientContext context;
    v1::ListRunsResponse page;
    EXPECT_TRUE(StubOf(caller)->ListRuns(&context, v1::ListRunsRequest(), &page).ok());
    std::vector<std::string> names;
    for (const v1::Run& run : page.runs()) {
      names.push_back(run.name());
    }
    return names;
  }
  // The first event that a follower gets, or `refusal`.
  v1::RunEvent FirstFollowed(Number caller, const std::string& name, grpc::Status* refusal = nullptr) {
    const std::unique_ptr<v1::RunService::Stub> stub = StubOf(caller);
    grpc::ClientContext context;
    v1::FollowRunRequest request;
    request.set_name(name);
    const std::unique_ptr<grpc::ClientReader<v1::RunEvent>> reader = stub->FollowRun(&context, request);
    v1::RunEvent event;
    if (reader->Read(&event)) {
      context.TryCancel();
    }
    v1::RunEvent rest;
    while (reader->Read(&rest)) {
    }
    const grpc::Status status = reader->Finish();
    if (refusal != nullptr) {
      *refusal = status;
    }
    return event;
  }
  grpc::Status Cancel(Number caller, const std::string& name) {
    grpc::ClientContext context;
    v1::CancelRunRequest request;
    request.set_name(name);
    v1::Run run;
    return StubOf(caller)->CancelRun(&context, request, &run);
  }
  v1::ServerInfo Info(Number caller) {
    grpc::ClientContext context;
    v1::ServerInfo info;
    EXPECT_TRUE(StubOf(caller)->GetServerInfo(&context, v1::GetServerInfoRequest(), &info).ok());
    return info;
  }
  grpc::Status RefusalOf(Number caller) {
    const std::unique_ptr<v1::RunService::Stub> stub = StubOf(caller);
    Call call(*stub);
    EXPECT_EQ(call.Next().event_case(), v1::RunEvent::EVENT_NOT_SET);
    return call.reader->Finish();
  }
};

TEST_F(TenantsFlowTest, OnlyItsTenantAndTheOperatorFindARun) {
  Call call(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  const std::string name = call.Next().accepted().name();
  EXPECT_TRUE(Get(kAlpha, name).ok());
  EXPECT_TRUE(Get(kObserver, name).ok());
  EXPECT_TRUE(Get(kOperator, name).ok());
  EXPECT_EQ(ReasonOf(Get(kBeta, name)), "RUN_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Cancel(kBeta, name)), "RUN_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Cancel(kObserver, name)), "ROLE_NOT_ALLOWED");
  EXPECT_TRUE(supervisor_->IsSilent());
  EXPECT_EQ(Info(kAlpha).runs_active(), 1U);
  EXPECT_EQ(Info(kBeta).runs_active(), 0U);
  EXPECT_EQ(Info(kOperator).runs_active(), 1U);
  EXPECT_TRUE(Cancel(kOperator, name).ok());
  EXPECT_EQ(supervisor_->Expect<ipc::Cancel>().sandbox, sandbox.id);
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCanceled, ipc::Actor::kClient);
  sandbox.CloseOutputs();
  call.Rest();
}

TEST_F(TenantsFlowTest, OnlyItsTenantAndTheOperatorFindACreatedRun) {
  v1::Run run;
  ASSERT_TRUE(Create(kAlpha, "job", run).ok());
  EXPECT_EQ(run.tenant(), "alpha");
  FakeSandbox sandbox = supervisor_->StartOne();
  for (const bool ended : {false, true}) {
    for (const Number caller : {kAlpha, kObserver, kOperator}) {
      v1::Run found;
      EXPECT_TRUE(Get(caller, run.name(), &found).ok());
      EXPECT_EQ(found.tenant(), "alpha");
      EXPECT_EQ(Names(caller), std::vector<std::string>{run.name()});
      EXPECT_EQ(FirstFollowed(caller, run.name()).event_case(), v1::RunEvent::kAccepted);
    }
    grpc::Status refusal;
    EXPECT_EQ(FirstFollowed(kBeta, run.name(), &refusal).event_case(), v1::RunEvent::EVENT_NOT_SET);
    EXPECT_EQ(ReasonOf(refusal), "RUN_NOT_FOUND");
    EXPECT_EQ(ReasonOf(Get(kBeta, run.name())), "RUN_NOT_FOUND");
    EXPECT_EQ(ReasonOf(Cancel(kBeta, run.name())), "RUN_NOT_FOUND");
    EXPECT_TRUE(Names(kBeta).empty());
    EXPECT_TRUE(supervisor_->IsSilent());
    if (!ended) {
      supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
      sandbox.CloseOutputs();
      WaitUntilIdle();
      WaitUntilStored();
    }
  }
}

TEST_F(TenantsFlowTest, ARequestIdIsItsTenantsOwn) {
  v1::Run alpha;
  v1::Run again;
  v1::Run beta;
  ASSERT_TRUE(Create(kAlpha, "job", alpha).ok());
  ASSERT_TRUE(Create(kBeta, "job", beta).ok());
  ASSERT_TRUE(Create(kAlpha, "job", again).ok());
  EXPECT_EQ(again.name(), alpha.name());
  EXPECT_NE(beta.name(), alpha.name());
  EXPECT_EQ(beta.tenant(), "beta");
}

TEST_F(TenantsFlowTest, ObserversAndOperatorsStartNothing) {
  v1::Run run;
  EXPECT_EQ(ReasonOf(Create(kObserver, "", run)), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(Create(kOperator, "", run)), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(RefusalOf(kObserver)), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(RefusalOf(kOperator).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(supervisor_->IsSilent());
}

TEST_F(TenantsFlowTest, CallersAreToldWhoTheyAre) {
  EXPECT_EQ(Info(kBeta).tenant(), "beta");
  EXPECT_EQ(Info(kBeta).role(), "run");
  EXPECT_EQ(Info(kObserver).role(), "observe");
  EXPECT_EQ(Info(kOperator).tenant(), "");
  EXPECT_EQ(Info(kOperator).role(), "operator");
}

TEST_F(TenantsFlowTest, PlacesInTheQueueAreAmongTheTenantsOwnRuns) {
  std::vector<std::unique_ptr<Call>> running;
  std::vector<FakeSandbox> sandboxes;
  for (int i = 0; i < 2; ++i) {
    running.push_back(std::make_unique<Call>(*stub_));
    sandboxes.push_back(supervisor_->StartOne());
  }
  Call first(*stub_);
  EXPECT_EQ(first.Next().queued().position(), 1U);
  Call second(*stub_);
  EXPECT_EQ(second.Next().queued().position(), 2U);
  const std::unique_ptr<v1::RunService::Stub> beta = StubOf(kBeta);
  Call theirs(*beta);
  EXPECT_EQ(theirs.Next().queued().position(), 1U);
  EXPECT_EQ(Info(kAlpha).runs_queued(), 2U);
  EXPECT_EQ(Info(kBeta).runs_queued(), 1U);
  first.context->TryCancel();
  second.context->TryCancel();
  theirs.context->TryCancel();
  first.Rest();
  second.Rest();
  theirs.Rest();
  for (size_t i = 0; i < running.size(); ++i) {
    supervisor_->SendFinished(sandboxes[i].id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
    sandboxes[i].CloseOutputs();
    running[i]->Rest();
  }
}

}  // namespace
}  // namespace caisson::dispatcher
