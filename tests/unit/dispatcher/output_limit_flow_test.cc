// A program that passes its output limit under `kill` and ends by itself before anybody could end it
// (flow_fixture.h).
#include <gtest/gtest.h>

#include <string>

#include "dispatcher/flow_fixture.h"

namespace caisson::dispatcher {
namespace {

constexpr uint64_t kLimit = 10;

class OutputLimitFlowTest : public FlowTest {
 protected:
  void SetUp() override { Start(1, 0); }

  static v1::ExecuteRequest Request(v1::OutputOverflow overflow) {
    v1::ExecuteRequest request = ValidExecuteRequest();
    request.set_output_overflow(overflow);
    request.mutable_limits()->set_output_bytes(kLimit);
    return request;
  }

  // The result of a program that printed `text` and of which caissond then says `verdict`.
  v1::RunResult ResultOf(v1::OutputOverflow overflow, const std::string& text, ipc::Verdict verdict) {
    Call call(*stub_, Request(overflow));
    FakeSandbox sandbox = supervisor_->StartOne();
    supervisor_->SendFinished(sandbox.id, verdict, ipc::Actor::kProgram);
    WriteAll(sandbox.stdout_write, text);
    sandbox.CloseOutputs();
    return call.Rest().back().finished();
  }
};

TEST_F(OutputLimitFlowTest, AProgramThatEndedFasterIsHeldToItAllTheSame) {
  for (const ipc::Verdict verdict : {ipc::Verdict::kCompleted, ipc::Verdict::kSignaled}) {
    const v1::RunResult result = ResultOf(v1::OUTPUT_OVERFLOW_KILL, "0123456789abcdef", verdict);
    EXPECT_EQ(result.verdict(), v1::OUTPUT_LIMIT);
    EXPECT_EQ(result.ended_by(), v1::SUPERVISOR);
    EXPECT_EQ(result.limit().name(), "output_bytes");
    EXPECT_EQ(result.limit().limit(), kLimit);
    EXPECT_EQ(result.limit().observed(), 16U);
    EXPECT_EQ(result.steps(0).verdict(), v1::OUTPUT_LIMIT);
  }
}

TEST_F(OutputLimitFlowTest, ExactlyTheLimitIsNotBeyondIt) {
  EXPECT_EQ(ResultOf(v1::OUTPUT_OVERFLOW_KILL, "0123456789", ipc::Verdict::kCompleted).verdict(),
            v1::COMPLETED);
}

TEST_F(OutputLimitFlowTest, TruncationIsNoEnd) {
  const v1::RunResult result =
      ResultOf(v1::OUTPUT_OVERFLOW_TRUNCATE, "0123456789abcdef", ipc::Verdict::kCompleted);
  EXPECT_EQ(result.verdict(), v1::COMPLETED);
  EXPECT_TRUE(result.stdout().truncated());
}

TEST_F(OutputLimitFlowTest, WhatEndedTheRunBeforeKeepsItsVerdict) {
  for (const auto& [verdict, told] : {std::pair(ipc::Verdict::kMemoryLimit, v1::MEMORY_LIMIT),
                                      std::pair(ipc::Verdict::kCanceled, v1::CANCELED),
                                      std::pair(ipc::Verdict::kWallTimeLimit, v1::WALL_TIME_LIMIT)}) {
    EXPECT_EQ(ResultOf(v1::OUTPUT_OVERFLOW_KILL, "0123456789abcdef", verdict).verdict(), told);
  }
}

}  // namespace
}  // namespace caisson::dispatcher
