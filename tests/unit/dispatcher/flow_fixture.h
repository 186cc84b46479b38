// The fixture of whole calls: a real gRPC client and server over a Unix socket, the real I/O thread, real
// pipes; only caissond's part is played by the test (fake_supervisor.h).
#ifndef CAISSON_TESTS_UNIT_DISPATCHER_FLOW_FIXTURE_H_
#define CAISSON_TESTS_UNIT_DISPATCHER_FLOW_FIXTURE_H_

#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "caisson/v1/run.grpc.pb.h"
#include "dispatcher/fake_supervisor.h"
#include "dispatcher/record_thread.h"
#include "dispatcher/run_manager.h"
#include "dispatcher/run_service.h"
#include "dispatcher/server.h"
#include "dispatcher/test_profiles.h"

namespace caisson::dispatcher {

// One Execute call as a client has it.
struct Call {
  explicit Call(v1::RunService::Stub& stub, const v1::ExecuteRequest& request = ValidExecuteRequest(),
                int deadline_ms = 20'000)
      : context(std::make_unique<grpc::ClientContext>()) {
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(deadline_ms));
    reader = stub.Execute(context.get(), request);
  }
  // The next event; one without a kind at the end.
  v1::RunEvent Next() {
    v1::RunEvent event;
    if (reader->Read(&event)) {
      EXPECT_EQ(event.sequence(), ++sequence);
    }
    return event;
  }
  std::vector<v1::RunEvent> Rest() {
    std::vector<v1::RunEvent> events;
    for (v1::RunEvent event = Next(); event.event_case() != v1::RunEvent::EVENT_NOT_SET; event = Next()) {
      events.push_back(event);
    }
    return events;
  }

  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientReader<v1::RunEvent>> reader;
  uint64_t sequence = 0;
};

class FlowTest : public testing::Test {
 protected:
  void SetUp() override { Start(2, 2); }
  void TearDown() override;

  // Serves on ADDRESS of every caller: its first is `stub_`'s.
  void Start(uint32_t max_sandboxes, uint32_t queue_length, const std::vector<Caller>& callers = {Caller()});
  // A client of the caller with this number.
  std::unique_ptr<v1::RunService::Stub> StubOf(size_t caller) const;
  // Until every run is gone: what a client sees last may come before the dispatcher's own last step.
  void WaitUntilIdle();
  // Until all that was written so far is stored.
  void WaitUntilStored();
  v1::Run GetRun(const std::string& name);
  grpc::Status CancelRun(const std::string& name);

  RetentionLimits retention_;
  RunService::Config config_;  // a test may set what Start leaves alone
  const ProfileCatalog catalog_ = TestCatalog();
  Metrics metrics_{{"python"}, "test"};
  std::string directory_;
  std::unique_ptr<FakeSupervisor> supervisor_;
  std::unique_ptr<IoThread> io_;
  std::unique_ptr<SupervisorLink> link_;
  std::unique_ptr<RecordThread> records_;
  std::unique_ptr<RunManager> manager_;
  ConnectionBook book_;
  std::unique_ptr<RunService> service_;
  std::unique_ptr<Server> server_;
  std::thread loop_thread_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::RunService::Stub> stub_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_TESTS_UNIT_DISPATCHER_FLOW_FIXTURE_H_
