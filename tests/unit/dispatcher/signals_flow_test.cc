// Signals of interactive clients while caissond does not read (flow_fixture.h): what waits for it stays
// bounded, and nothing else is held up or lost.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "dispatcher/flow_fixture.h"

namespace caisson::dispatcher {
namespace {

constexpr int kRuns = 8;

using InteractStream = grpc::ClientReaderWriter<v1::InteractRequest, v1::RunEvent>;

struct Conversation {
  grpc::ClientContext context;
  std::unique_ptr<InteractStream> stream;
  FakeSandbox sandbox;
  std::string name;
};

class SignalsFlowTest : public FlowTest {
 protected:
  void SetUp() override { Start(kRuns, 0); }

  std::unique_ptr<Conversation> Begin() {
    auto conversation = std::make_unique<Conversation>();
    conversation->stream = stub_->Interact(&conversation->context);
    v1::InteractRequest message;
    *message.mutable_open()->mutable_request() = ValidExecuteRequest();
    EXPECT_TRUE(conversation->stream->Write(message));
    conversation->sandbox = supervisor_->StartOne();
    v1::RunEvent event;
    EXPECT_TRUE(conversation->stream->Read(&event));
    conversation->name = event.accepted().name();
    EXPECT_TRUE(conversation->stream->Read(&event));
    EXPECT_TRUE(event.has_started());
    return conversation;
  }
};

void SendEverySignal(InteractStream& stream) {
  for (const char* name : {"HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "CONT", "TSTP", "WINCH"}) {
    v1::InteractRequest message;
    message.mutable_signal()->set_name(name);
    EXPECT_TRUE(stream.Write(message));
  }
}

TEST_F(SignalsFlowTest, AFloodWhileNobodyReadsIsMergedAndACancelStillArrives) {
  std::vector<std::unique_ptr<Conversation>> conversations;
  for (int i = 0; i < kRuns; ++i) {
    conversations.push_back(Begin());
  }
  // More than may wait for caissond in all. Paced, for the same signal within 10 ms is one anyway.
  for (size_t round = 0; round < 2 * SupervisorLink::kMaxOutgoing / kRuns / 10; ++round) {
    for (const auto& conversation : conversations) {
      SendEverySignal(*conversation->stream);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(11));
  }
  ASSERT_TRUE(CancelRun(conversations.back()->name).ok());
  // Each signal of each run is there, some more that the socket took at once, and the CANCEL.
  std::set<std::pair<ipc::SandboxId, int32_t>> seen;
  size_t signals = 0;
  bool canceled = false;
  while (!canceled || seen.size() < kRuns * 10) {
    const ipc::Request request = supervisor_->Receive().first;
    if (const auto* signal = std::get_if<ipc::Signal>(&request); signal != nullptr) {
      seen.emplace(signal->sandbox, signal->signal_number);
      ++signals;
    } else {
      ASSERT_TRUE(std::holds_alternative<ipc::Cancel>(request));
      EXPECT_EQ(std::get<ipc::Cancel>(request).sandbox, conversations.back()->sandbox.id);
      canceled = true;
    }
  }
  EXPECT_LT(signals, SupervisorLink::kMaxOutgoing / 4);
  for (const auto& conversation : conversations) {
    conversation->sandbox.CloseOutputs();
    supervisor_->SendFinished(conversation->sandbox.id, ipc::Verdict::kSignaled, ipc::Actor::kProgram);
    conversation->stream->WritesDone();
    v1::RunEvent event;
    while (conversation->stream->Read(&event)) {
    }
    EXPECT_TRUE(conversation->stream->Finish().ok());
  }
}

}  // namespace
}  // namespace caisson::dispatcher
