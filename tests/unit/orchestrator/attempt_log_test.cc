#include "orchestrator/attempt_log.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "ipc/codec.h"

namespace caisson::orchestrator {
namespace {

constexpr std::array<uint8_t, 16> kRun = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                          0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};

TEST(AttemptLogTest, NamesTheRunAndTheCall) {
  auto finished = ipc::Make<ipc::Finished>();
  finished.verdict = ipc::Verdict::kSyscallViolation;
  finished.violation_syscall = SYS_mount;
  EXPECT_EQ(AttemptLine(kRun, finished),
            "run runs/0123456789abcdeffedcba9876543210: ended as SYSCALL_VIOLATION for mount");
}

TEST(AttemptLogTest, AStormOfRefusedCallsIsOneLine) {
  auto finished = ipc::Make<ipc::Finished>();
  finished.verdict = ipc::Verdict::kSyscallViolation;
  finished.violation_syscall = -1;
  finished.limit = ipc::LimitName::kDenialRate;
  finished.limit_value = 10'000;
  EXPECT_EQ(
      AttemptLine(kRun, finished),
      "run runs/0123456789abcdeffedcba9876543210: ended as SYSCALL_VIOLATION for more than 10000 refused "
      "calls a second");
}

TEST(AttemptLogTest, EveryOtherEndSaysNothing) {
  auto finished = ipc::Make<ipc::Finished>();
  for (auto verdict = static_cast<uint32_t>(ipc::Verdict::kCompleted);
       verdict <= static_cast<uint32_t>(ipc::Verdict::kServiceFailed); ++verdict) {
    finished.verdict = static_cast<ipc::Verdict>(verdict);
    EXPECT_EQ(AttemptLine(kRun, finished).empty(), finished.verdict != ipc::Verdict::kSyscallViolation)
        << verdict;
  }
}

}  // namespace
}  // namespace caisson::orchestrator
