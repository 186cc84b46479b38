#include "cli/exit_code.h"

namespace caisson::cli {
namespace {

constexpr int kMostExitCode = 255;
constexpr int kMostSignal = 64;

}  // namespace

bool HasItsEnd(const v1::RunResult& result) {
  switch (result.verdict()) {
    case v1::COMPLETED:
      return result.has_exit_code() && result.exit_code() >= 0 && result.exit_code() <= kMostExitCode;
    case v1::SIGNALED:
      return result.has_signal() && result.signal() >= 1 && result.signal() <= kMostSignal;
    default:
      return true;
  }
}

int ExitCodeFor(const v1::RunResult& result) {
  if (!HasItsEnd(result)) {
    return kExitService;
  }
  switch (result.verdict()) {
    case v1::COMPLETED:
      return result.exit_code();
    case v1::SIGNALED:
      return kExitSignalBase + result.signal();
    case v1::WALL_TIME_LIMIT:
    case v1::CPU_TIME_LIMIT:
    case v1::MEMORY_LIMIT:
    case v1::OUTPUT_LIMIT:
      return kExitLimit;
    case v1::SYSCALL_VIOLATION:
      return kExitViolation;
    case v1::CANCELED:
      return kExitCanceled;
    case v1::COMPILE_FAILED:
      return kExitCompileFailed;
    default:
      return kExitService;
  }
}

}  // namespace caisson::cli
