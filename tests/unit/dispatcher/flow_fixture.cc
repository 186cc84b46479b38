#include "dispatcher/flow_fixture.h"

#include <fcntl.h>
#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <utility>

#include "common/files.h"
#include "common/status.h"

namespace caisson::dispatcher {

namespace {

// gRPC that is shut down with its last channel waits up to 10 s for a poller of writes which nobody read any
// more.
void KeepGrpcUntilTheProcessEnds() {
  static const bool kKept = (grpc_init(), true);
  (void)kKept;
}

}  // namespace

void FlowTest::Start(uint32_t max_sandboxes, uint32_t queue_length, const std::vector<Caller>& callers) {
  KeepGrpcUntilTheProcessEnds();
  signal(SIGPIPE, SIG_IGN);  // as the program does
  std::string pattern = testing::TempDir() + "caisson-flow-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  directory_ = pattern;
  auto ends = MakePacketSocketPair();
  ASSERT_TRUE(ends.ok());
  supervisor_ = std::make_unique<FakeSupervisor>(std::move(ends->second));
  auto hello = ipc::Make<ipc::Hello>();
  hello.max_sandboxes = max_sandboxes;
  hello.memory_budget_bytes = 8ULL << 30U;
  hello.queue_length = queue_length;
  hello.cpu_millis = 2'000;
  hello.cgroup_backend = static_cast<uint32_t>(ipc::CgroupBackend::kHybrid);
  io_ = std::move(*IoThread::Create());
  link_ = std::make_unique<SupervisorLink>(io_->loop(), std::move(ends->first));
  ASSERT_EQ(mkdir((directory_ + "/records").c_str(), 0700), 0);
  absl::StatusOr<std::unique_ptr<RunStore>> store = RunStore::Open(directory_ + "/records", retention_);
  ASSERT_TRUE(store.ok()) << Message(store.status());
  records_ = std::make_unique<RecordThread>(*io_, *std::move(store), &metrics_);
  manager_ = std::make_unique<RunManager>(*io_, *link_, *OpenFile("/dev/null", O_WRONLY), hello,
                                          RunManager::Parts{records_.get(), 1, {}, &metrics_});
  config_.memory_budget_bytes = hello.memory_budget_bytes;
  config_.max_open_calls = 100;
  config_.version = "test";
  config_.metrics = &metrics_;
  service_ = std::make_unique<RunService>(*io_, *manager_, catalog_, book_, config_);
  std::vector<ConnectionGate::Listener> listeners;
  for (const Caller& caller : callers) {
    listeners.push_back(
        std::move(*ConnectionGate::ListenOn(directory_ + "/s" + std::to_string(listeners.size()), caller)));
  }
  auto server = Server::Start(std::move(listeners), book_, *service_, {});
  ASSERT_TRUE(server.ok()) << Message(server.status());
  server_ = std::move(*server);
  ASSERT_TRUE(link_
                  ->Start([this](const ipc::Reply& reply,
                                 std::vector<UniqueFd> fds) { manager_->OnMessage(reply, std::move(fds)); },
                          [this](const absl::Status& reason) { manager_->OnSupervisorLost(reason); })
                  .ok());
  loop_thread_ = std::thread([this] { EXPECT_TRUE(io_->loop().Run().ok()); });
  channel_ = grpc::CreateChannel("unix:" + directory_ + "/s0", grpc::InsecureChannelCredentials());
  stub_ = v1::RunService::NewStub(channel_);
}

std::unique_ptr<v1::RunService::Stub> FlowTest::StubOf(size_t caller) const {
  return v1::RunService::NewStub(grpc::CreateChannel("unix:" + directory_ + "/s" + std::to_string(caller),
                                                     grpc::InsecureChannelCredentials()));
}

void FlowTest::TearDown() {
  server_->Shutdown(0);
  io_->Post([this] { io_->loop().Stop(); });
  loop_thread_.join();
  server_.reset();
  service_.reset();
  manager_.reset();
  records_.reset();
  std::filesystem::remove_all(directory_);
}

void FlowTest::WaitUntilStored() {
  std::promise<void> stored;
  io_->Post([&] {
    records_->Read([](RunStore& /*store*/) { return absl::OkStatus(); },
                   [&stored](const absl::Status& /*status*/) { stored.set_value(); });
  });
  ASSERT_EQ(stored.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

void FlowTest::WaitUntilIdle() {
  std::promise<void> idle;
  io_->Post([&] { manager_->WhenIdle([&] { idle.set_value(); }); });
  ASSERT_EQ(idle.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

v1::Run FlowTest::GetRun(const std::string& name) {
  grpc::ClientContext context;
  v1::GetRunRequest request;
  request.set_name(name);
  v1::Run run;
  const grpc::Status status = stub_->GetRun(&context, request, &run);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return run;
}

grpc::Status FlowTest::CancelRun(const std::string& name) {
  grpc::ClientContext context;
  v1::CancelRunRequest request;
  request.set_name(name);
  v1::Run run;
  return stub_->CancelRun(&context, request, &run);
}

}  // namespace caisson::dispatcher
