// Whole Interact calls with files in chunks (flow_fixture.h): what time, memory and the bundle come to. What
// each wrong message is told is tested with the real daemon.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/memfd.h"
#include "dispatcher/flow_fixture.h"
#include "dispatcher/status_details.h"
#include "dispatcher/upload_budget.h"

namespace caisson::dispatcher {
namespace {

// One Interact call as a client has it.
struct UploadCall {
  UploadCall(v1::RunService::Stub& stub, uint32_t files, const v1::ExecuteRequest& request) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    stream = stub.Interact(&context);
    v1::InteractRequest message;
    *message.mutable_open()->mutable_request() = request;
    message.mutable_open()->set_files_to_follow(files);
    EXPECT_TRUE(stream->Write(message));
  }
  // False when the call is over already.
  bool Chunk(const std::string& path, const std::string& data, bool last) {
    v1::InteractRequest message;
    message.mutable_file()->set_path(path);
    message.mutable_file()->set_data(data);
    message.mutable_file()->set_last(last);
    return stream->Write(message);
  }
  // Reads to the end.
  grpc::Status Finish() {
    v1::RunEvent event;
    while (stream->Read(&event)) {
    }
    return stream->Finish();
  }

  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::InteractRequest, v1::RunEvent>> stream;
};

v1::ExecuteRequest Program() {
  v1::ExecuteRequest request = ValidExecuteRequest();
  request.set_main_file("main.py");
  return request;
}

class UploadFlowTest : public FlowTest {
 protected:
  void SetUp() override {}
  void StartWith(int64_t message_ms, int64_t upload_ms) {
    config_.input_timeouts = {message_ms, upload_ms};
    Start(2, 2);
  }
};

TEST_F(UploadFlowTest, AFileThatStopsComingEndsTheCall) {
  StartWith(200, 60'000);
  UploadCall call(*stub_, 1, Program());
  EXPECT_TRUE(call.Chunk("f", "x", false));
  const grpc::Status status = call.Finish();
  EXPECT_EQ(ReasonOf(status), "INPUT_TIMEOUT");
  EXPECT_EQ(status.error_message(), "the files stopped coming");
  EXPECT_TRUE(supervisor_->IsSilent());
}

TEST_F(UploadFlowTest, AFileThatComesInDripsEndsTheCall) {
  StartWith(60'000, 300);
  UploadCall call(*stub_, 1, Program());
  while (call.Chunk("f", "x", false)) {
  }
  const grpc::Status status = call.Finish();
  EXPECT_EQ(ReasonOf(status), "INPUT_TIMEOUT");
  EXPECT_EQ(status.error_message(), "the files did not come in time");
}

TEST_F(UploadFlowTest, ACallThatIsNotOpenedEnds) {
  StartWith(200, 60'000);
  grpc::ClientContext context;
  const auto stream = stub_->Interact(&context);
  v1::RunEvent event;
  EXPECT_FALSE(stream->Read(&event));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(ReasonOf(status), "INPUT_TIMEOUT");
  EXPECT_EQ(status.error_message(), "the call was not opened in time");
}

// The timers of the opening have no say once the run has what it needs.
TEST_F(UploadFlowTest, ARunMayTakeLongerThanItsUpload) {
  StartWith(200, 300);
  UploadCall call(*stub_, 2, Program());
  EXPECT_TRUE(call.Chunk("a/b", "one", false));
  EXPECT_TRUE(call.Chunk("a/b", "two", true));
  EXPECT_TRUE(call.Chunk("c", "", true));
  FakeSandbox sandbox = supervisor_->StartOne();
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(supervisor_->IsSilent());
  }
  EXPECT_TRUE(CheckSealedMemfd(supervisor_->bundle().get(), wire::kMaxBundleBytes).ok());
  sandbox.CloseOutputs();
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram);
  EXPECT_TRUE(call.Finish().ok());
}

TEST_F(UploadFlowTest, ASourceThatComesInChunksIsCompiled) {
  StartWith(10'000, 10'000);
  v1::ExecuteRequest request;
  request.set_profile("rust");
  request.set_main_file("main.rs");
  UploadCall call(*stub_, 2, request);
  EXPECT_TRUE(call.Chunk("lib.rs", "fn f() {}", true));
  EXPECT_TRUE(call.Chunk("main.rs", "fn main() {}", true));
  FakeSandbox sandbox = supervisor_->StartOne();
  EXPECT_EQ(supervisor_->last_prepare().step, ipc::Step::kCompile);
  sandbox.CloseOutputs();
  supervisor_->SendFinished(sandbox.id, ipc::Verdict::kCompleted, ipc::Actor::kProgram, 1);
  EXPECT_TRUE(call.Finish().ok());
}

TEST(UploadBudgetTest, HoldsItsBoundAndGivesBack) {
  const UploadBudget budget(100);
  UploadBudget::Share first = budget.Open();
  EXPECT_TRUE(first.Take(60));
  {
    UploadBudget::Share second = budget.Open();
    EXPECT_FALSE(second.Take(41));
    EXPECT_TRUE(second.Take(40));
    EXPECT_FALSE(first.Take(1));
    const UploadBudget::Share moved = std::move(second);
    EXPECT_EQ(budget.used_bytes(), 100U);
  }
  EXPECT_EQ(budget.used_bytes(), 60U);
  first.GiveBack();
  first.GiveBack();
  EXPECT_EQ(budget.used_bytes(), 0U);
  EXPECT_FALSE(first.Take(~uint64_t{0}));
  EXPECT_FALSE(UploadBudget::Share().Take(1));
}

}  // namespace
}  // namespace caisson::dispatcher
