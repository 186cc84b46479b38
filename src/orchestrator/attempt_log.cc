// Run by caissond. Input: numbers that init reported and Session checked.
#include "orchestrator/attempt_log.h"

#include <spdlog/spdlog.h>

#include <string_view>

#include "policy/filter_compiler.h"

namespace caisson::orchestrator {

std::string AttemptLine(const std::array<uint8_t, 16>& run_id, const ipc::Finished& finished) {
  if (finished.verdict != ipc::Verdict::kSyscallViolation) {
    return {};
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string line = "run runs/";
  for (const uint8_t byte : run_id) {
    line += kDigits[byte >> 4U];
    line += kDigits[byte & 0xfU];
  }
  line += ": ended as SYSCALL_VIOLATION for ";
  if (finished.limit == ipc::LimitName::kDenialRate) {
    return line + "more than " + std::to_string(finished.limit_value) + " refused calls a second";
  }
  return line + policy::SyscallName(finished.violation_syscall);
}

void LogAttempt(const std::array<uint8_t, 16>& run_id, const ipc::Finished& finished) {
  if (const std::string line = AttemptLine(run_id, finished); !line.empty()) {
    spdlog::warn("{}", line);
  }
}

}  // namespace caisson::orchestrator
