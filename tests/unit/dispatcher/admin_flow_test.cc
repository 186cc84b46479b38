// The admin service beside the service of runs (flow_fixture.h): what an admin changes, and what nobody
// reaches through the other one's socket.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "caisson/admin/v1/admin.grpc.pb.h"
#include "dispatcher/admin_service.h"
#include "dispatcher/flow_fixture.h"
#include "dispatcher/status_details.h"

namespace caisson::dispatcher {
namespace {

class AdminFlowTest : public FlowTest {
 protected:
  void SetUp() override {
    Start(1, 2, {{TenantId("alpha"), Role::kRun}, {TenantId(), Role::kOperator}, {TenantId(), Role::kAdmin}});
    reloads_ = std::make_unique<Reloads>(io_->loop(), *link_, manager_->policies());
    admin_service_ = std::make_unique<AdminService>(*io_, *manager_, *reloads_, book_);
    std::vector<ConnectionGate::Listener> listeners;
    for (const Role role : {Role::kAdmin, Role::kOperator}) {
      listeners.push_back(
          std::move(*ConnectionGate::ListenOn(directory_ + "/" + RoleName(role), {TenantId(), role})));
    }
    auto server = Server::Start(std::move(listeners), book_, *admin_service_, {}, Server::Kind::kAdmins);
    ASSERT_TRUE(server.ok());
    admin_server_ = std::move(*server);
  }
  void TearDown() override {
    admin_server_->Shutdown(0);
    FlowTest::TearDown();
    admin_server_.reset();
  }
  std::unique_ptr<admin::v1::AdminService::Stub> AdminOn(const std::string& socket) const {
    return admin::v1::AdminService::NewStub(
        grpc::CreateChannel("unix:" + directory_ + "/" + socket, grpc::InsecureChannelCredentials()));
  }
  admin::v1::DrainResponse Drain() {
    grpc::ClientContext context;
    admin::v1::DrainResponse response;
    const grpc::Status status = AdminOn("admin")->Drain(&context, admin::v1::DrainRequest(), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  grpc::Status Resume(admin::v1::ResumeResponse* response = nullptr) {
    grpc::ClientContext context;
    admin::v1::ResumeResponse ignored;
    return AdminOn("admin")->Resume(&context, admin::v1::ResumeRequest(),
                                    response == nullptr ? &ignored : response);
  }
  grpc::Status DrainOn(const std::string& socket) {
    grpc::ClientContext context;
    admin::v1::DrainResponse response;
    return AdminOn(socket)->Drain(&context, admin::v1::DrainRequest(), &response);
  }

  void Finish(FakeSandbox& sandbox, Call& call) {
    supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
    sandbox.CloseOutputs();
    const std::vector<v1::RunEvent> events = call.Rest();
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().event_case(), v1::RunEvent::kFinished);
  }

  std::unique_ptr<Reloads> reloads_;
  std::unique_ptr<AdminService> admin_service_;
  std::unique_ptr<Server> admin_server_;
};

TEST_F(AdminFlowTest, RunsAtWorkAndThoseThatWaitGoOnWhileNothingNewIsLetIn) {
  Call first(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  Call second(*stub_);
  ASSERT_EQ(second.Next().event_case(), v1::RunEvent::kQueued);
  for (int i = 0; i < 2; ++i) {
    const admin::v1::DrainResponse counts = Drain();
    EXPECT_EQ(counts.runs_active(), 1U);
    EXPECT_EQ(counts.runs_queued(), 1U);
  }
  Call third(*stub_);
  EXPECT_EQ(third.Next().event_case(), v1::RunEvent::EVENT_NOT_SET);
  const grpc::Status refusal = third.reader->Finish();
  EXPECT_EQ(refusal.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(refusal), "SHUTTING_DOWN");
  grpc::ClientContext context;
  v1::Run run;
  EXPECT_EQ(ReasonOf(stub_->CreateRun(&context, ValidExecuteRequest(), &run)), "SHUTTING_DOWN");
  Finish(sandbox, first);
  sandbox = supervisor_->StartOne();
  Finish(sandbox, second);
  admin::v1::ResumeResponse counts;
  EXPECT_TRUE(Resume(&counts).ok());
  EXPECT_EQ(counts.runs_queued(), 0U);
  Call fourth(*stub_);
  sandbox = supervisor_->StartOne();
  Finish(sandbox, fourth);
}

TEST_F(AdminFlowTest, AServiceThatStopsIsNotResumed) {
  EXPECT_TRUE(Resume().ok());
  Drain();
  supervisor_->Send(ipc::Make<ipc::Drain>());
  // The message has no answer of its own.
  grpc::Status status = Resume();
  while (status.ok()) {
    Drain();
    status = Resume();
  }
  EXPECT_EQ(ReasonOf(status), "SHUTTING_DOWN");
}

TEST_F(AdminFlowTest, TheServiceOfRunsDoesNotKnowTheAdminServiceAndTheOtherWayRound) {
  for (const char* socket : {"s0", "s1", "s2"}) {
    EXPECT_EQ(DrainOn(socket).error_code(), grpc::StatusCode::UNIMPLEMENTED) << socket;
  }
  const auto stub = v1::RunService::NewStub(
      grpc::CreateChannel("unix:" + directory_ + "/admin", grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::ServerInfo info;
  EXPECT_EQ(stub->GetServerInfo(&context, v1::GetServerInfoRequest(), &info).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(AdminFlowTest, WhoIsNoAdminMayNothingEvenWhereTheServiceIs) {
  EXPECT_EQ(ReasonOf(DrainOn("operator")), "ROLE_NOT_ALLOWED");
  // Nor an admin where the service of runs is.
  const std::unique_ptr<v1::RunService::Stub> runs = StubOf(2);
  grpc::ClientContext list;
  v1::ListRunsResponse page;
  EXPECT_EQ(ReasonOf(runs->ListRuns(&list, v1::ListRunsRequest(), &page)), "ROLE_NOT_ALLOWED");
  grpc::ClientContext look;
  v1::ServerInfo info;
  EXPECT_EQ(ReasonOf(runs->GetServerInfo(&look, v1::GetServerInfoRequest(), &info)), "ROLE_NOT_ALLOWED");
  Call call(*runs);
  EXPECT_EQ(call.Next().event_case(), v1::RunEvent::EVENT_NOT_SET);
  EXPECT_EQ(ReasonOf(call.reader->Finish()), "ROLE_NOT_ALLOWED");
}

TEST_F(AdminFlowTest, TenantsAreListedWithWhatTheyHold) {
  Call call(*stub_);
  FakeSandbox sandbox = supervisor_->StartOne();
  grpc::ClientContext context;
  admin::v1::ListTenantsResponse page;
  ASSERT_TRUE(AdminOn("admin")->ListTenants(&context, admin::v1::ListTenantsRequest(), &page).ok());
  ASSERT_EQ(page.tenants_size(), 1);
  const admin::v1::Tenant& alpha = page.tenants(0);
  EXPECT_EQ(alpha.name(), "alpha");
  EXPECT_EQ(alpha.runs_active(), 1U);
  EXPECT_GT(alpha.memory_in_flight_bytes(), 0U);
  EXPECT_EQ(alpha.cpu_in_flight_millis(), 1'000U);
  EXPECT_TRUE(alpha.has_quotas());
  Finish(sandbox, call);
}

}  // namespace
}  // namespace caisson::dispatcher
