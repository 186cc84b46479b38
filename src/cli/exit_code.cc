#include "cli/exit_code.h"

namespace caisson::cli {

int ExitCodeFor(const v1::RunResult& result) {
  switch (result.verdict()) {
    case v1::COMPLETED:
      return result.has_exit_code() ? result.exit_code() & 0xff : kExitService;
    case v1::SIGNALED:
      return result.has_signal() ? (kExitSignalBase + result.signal()) & 0xff : kExitService;
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
