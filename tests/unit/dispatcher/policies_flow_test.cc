// Whole calls under tenants' policies (flow_fixture.h): every way in asks the same door, and what is counted
// by day is stored.
#include <google/rpc/error_details.pb.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "dispatcher/flow_fixture.h"
#include "dispatcher/status_details.h"
#include "dispatcher/tenancy/policy_book.h"

namespace caisson::dispatcher {
namespace {

class PoliciesFlowTest : public FlowTest {
 protected:
  void SetUp() override {}  // each test starts with what it needs

  void SetPolicy(const std::string& members) {
    const std::string text = R"({"schema_version": 1, "tenant": "default", )" + members + "}";
    const absl::StatusOr<policy::TenantPolicies> parsed =
        policy::ParseTenantPolicies({{"default", "default.json", text}});
    ASSERT_TRUE(parsed.ok()) << Message(parsed.status());
    OnIoThread([&] { manager_->SetPolicies(std::make_shared<const PolicyState>(*parsed)); });
  }
  void OnIoThread(const std::function<void()>& work) {
    std::promise<void> done;
    io_->Post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  // What each way in says of a request: Execute, Interact, CreateRun.
  std::vector<grpc::Status> Refusals(const v1::ExecuteRequest& request) {
    std::vector<grpc::Status> refusals;
    Call call(*stub_, request);
    call.Rest();
    refusals.push_back(call.reader->Finish());
    grpc::ClientContext interact;
    const auto stream = stub_->Interact(&interact);
    v1::InteractRequest open;
    *open.mutable_open()->mutable_request() = request;
    stream->Write(open);
    v1::RunEvent event;
    while (stream->Read(&event)) {
    }
    refusals.push_back(stream->Finish());
    refusals.push_back(Create(request));
    return refusals;
  }
  grpc::Status Create(const v1::ExecuteRequest& request, v1::Run* created = nullptr) {
    grpc::ClientContext context;
    v1::Run run;
    return stub_->CreateRun(&context, request, created == nullptr ? &run : created);
  }
  static std::string MetadataOf(const grpc::Status& status, const std::string& key) {
    const auto info = DetailOf<google::rpc::ErrorInfo>(status);
    return info.has_value() && info->metadata().contains(key) ? info->metadata().at(key) : "";
  }
  CpuDays Stored() {
    WaitUntilStored();
    std::promise<CpuDays> days;
    OnIoThread([&] {
      records_->Read(
          [&](RunStore& store) -> absl::Status {
            ASSIGN_OR_RETURN(CpuDays all, store.records().AllCpu());
            days.set_value(std::move(all));
            return absl::OkStatus();
          },
          nullptr);
    });
    return days.get_future().get();
  }
};

TEST_F(PoliciesFlowTest, EveryWayInRefusesAProfileThatIsNotAllowed) {
  Start(2, 2);
  SetPolicy(R"("profiles": ["native"])");
  for (const grpc::Status& refusal : Refusals(ValidExecuteRequest())) {
    EXPECT_EQ(ReasonOf(refusal), "PROFILE_NOT_ALLOWED");
    EXPECT_EQ(MetadataOf(refusal, "rule"), "default/profiles");
    EXPECT_EQ(MetadataOf(refusal, "decision").size(), 16U);
  }
}

TEST_F(PoliciesFlowTest, EveryWayInRefusesALimitAboveTheCeilingAndBringsADefaultDown) {
  Start(2, 2);
  SetPolicy(R"("profiles": ["*"], "ceilings": {"wall_time_ms": 1000})");
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.mutable_limits()->set_wall_time_ms(1'001);
  for (const grpc::Status& refusal : Refusals(request)) {
    EXPECT_EQ(ReasonOf(refusal), "LIMIT_NOT_ALLOWED");
    EXPECT_EQ(MetadataOf(refusal, "ceiling"), "1000");
  }
  v1::Run run;
  ASSERT_TRUE(Create(ValidExecuteRequest(), &run).ok());
  static_cast<void>(supervisor_->StartOne());
  EXPECT_EQ(supervisor_->last_start().limits.wall_time_ms, 1'000U);
}

TEST_F(PoliciesFlowTest, EveryWayInTakesFromOneRate) {
  Start(2, 2);
  SetPolicy(R"("profiles": ["native"], "quotas": {"requests_per_second": 1, "request_burst": 2})");
  const std::vector<grpc::Status> refusals = Refusals(ValidExecuteRequest());
  EXPECT_EQ(ReasonOf(refusals.at(0)), "PROFILE_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(refusals.at(1)), "PROFILE_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(refusals.at(2)), "QUOTA_EXCEEDED");
  EXPECT_EQ(MetadataOf(refusals.at(2), "quota"), "requests_per_second");
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(refusals.at(2)).has_value());
  ASSERT_TRUE(DetailOf<google::rpc::QuotaFailure>(refusals.at(2)).has_value());
  EXPECT_EQ(DetailOf<google::rpc::QuotaFailure>(refusals.at(2))->violations(0).subject(),
            "quotas.requests_per_second");
}

TEST_F(PoliciesFlowTest, EveryWayInIsClosedWhenTheTenantsQueueIsFull) {
  Start(3, 10);
  SetPolicy(R"("profiles": ["*"], "quotas": {"concurrent_runs": 1, "queue_length": 1})");
  v1::Run run;
  ASSERT_TRUE(Create(ValidExecuteRequest(), &run).ok());
  ASSERT_TRUE(Create(ValidExecuteRequest(), &run).ok());
  for (const grpc::Status& refusal : Refusals(ValidExecuteRequest())) {
    EXPECT_EQ(ReasonOf(refusal), "QUOTA_EXCEEDED");
    EXPECT_EQ(MetadataOf(refusal, "quota"), "queue_length");
  }
}

TEST_F(PoliciesFlowTest, WhatIsHeldOfADayIsStoredAndGivenBackAtTheEnd) {
  Start(2, 2);
  SetPolicy(R"("profiles": ["*"], "quotas": {"cpu_seconds_per_day": 15})");
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.mutable_limits()->set_cpu_time_ms(10'000);
  v1::Run run;
  ASSERT_TRUE(Create(request, &run).ok());
  EXPECT_EQ(Stored()[TenantId()].held_ms, 10'000U);
  for (const grpc::Status& refusal : Refusals(request)) {
    EXPECT_EQ(MetadataOf(refusal, "quota"), "cpu_seconds_per_day");
    EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(refusal).has_value());
  }
  FakeSandbox sandbox = supervisor_->StartOne();
  sandbox.CloseOutputs();
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);
  WaitUntilIdle();
  EXPECT_EQ(Stored()[TenantId()].held_ms, 0U);
  EXPECT_TRUE(Create(request, &run).ok());
}

TEST_F(PoliciesFlowTest, StoredBytesHaveABoundOfTheTenantsOwn) {
  Start(2, 2);
  SetPolicy(R"("profiles": ["*"], "quotas": {"stored_bytes": 1048576})");
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.mutable_limits()->set_output_bytes(4'194'304);
  const grpc::Status refusal = Create(request);
  EXPECT_EQ(refusal.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(refusal), "QUOTA_EXCEEDED");
  EXPECT_EQ(MetadataOf(refusal, "quota"), "stored_bytes");
  EXPECT_TRUE(DetailOf<google::rpc::RetryInfo>(refusal).has_value());
  ASSERT_TRUE(DetailOf<google::rpc::QuotaFailure>(refusal).has_value());
  EXPECT_EQ(DetailOf<google::rpc::QuotaFailure>(refusal)->violations(0).subject(), "quotas.stored_bytes");
  request.mutable_limits()->set_output_bytes(100'000);
  EXPECT_TRUE(Create(request).ok());
}

TEST_F(PoliciesFlowTest, AResultAndItsRecordNameTheDecision) {
  Start(2, 2);
  SetPolicy(R"("profiles": ["python"])");
  v1::Run run;
  ASSERT_TRUE(Create(ValidExecuteRequest(), &run).ok());
  FakeSandbox sandbox = supervisor_->StartOne();
  sandbox.CloseOutputs();
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 0);
  WaitUntilIdle();
  WaitUntilStored();
  const v1::PolicyDecision decision = GetRun(run.name()).result().decision();
  EXPECT_EQ(decision.id().size(), 16U);
  EXPECT_EQ(decision.rule(), "default/profiles");
  EXPECT_EQ(decision.policy_digest().substr(0, 7), "sha256:");
}

TEST_F(PoliciesFlowTest, ATenantWithoutAPolicyMayRunNothing) {
  Start(2, 2, {{TenantId("nobody"), Role::kRun}});
  SetPolicy(R"("profiles": ["*"])");
  for (const grpc::Status& refusal : Refusals(ValidExecuteRequest())) {
    EXPECT_EQ(ReasonOf(refusal), "TENANT_WITHOUT_POLICY");
  }
}

TEST_F(PoliciesFlowTest, ARunThatWaitsAndCouldNeverStartUnderTheNewPolicyIsRefused) {
  Start(1, 2);
  SetPolicy(R"("profiles": ["*"])");
  v1::Run first;
  v1::Run second;
  ASSERT_TRUE(Create(ValidExecuteRequest(), &first).ok());
  ASSERT_TRUE(Create(ValidExecuteRequest(), &second).ok());
  SetPolicy(R"("profiles": ["*"], "quotas": {"memory_in_flight_bytes": 16777216})");
  WaitUntilStored();
  const v1::Run run = GetRun(second.name());
  EXPECT_EQ(run.state(), v1::Run::FINISHED);
  EXPECT_EQ(run.result().message(), "It did not start: the run had to leave the queue.");
}

}  // namespace
}  // namespace caisson::dispatcher
