#include "orchestrator/init_records.h"

#include <algorithm>
#include <csignal>
#include <cstring>

namespace caisson::orchestrator {
namespace {

constexpr int32_t kLastErrno = 4095;
constexpr int32_t kLastSignal = 64;
constexpr int32_t kSyscallNumbers = 1024;

template <class T>
std::optional<InitRecord> Read(std::span<const std::byte> bytes) {
  T record{};
  if (bytes.size() != sizeof record) {
    return std::nullopt;
  }
  std::memcpy(&record, bytes.data(), sizeof record);
  return InitRecord(record);
}

}  // namespace

std::optional<InitRecord> DecodeInitRecord(std::span<const std::byte> bytes) {
  struct {
    uint32_t magic;
    sandbox::ControlType type;
  } head{};
  if (bytes.size() < sizeof head) {
    return std::nullopt;
  }
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.magic != sandbox::kControlMagic) {
    return std::nullopt;
  }
  switch (head.type) {
    case sandbox::ControlType::kReady:
      return Read<sandbox::ReadyMessage>(bytes);
    case sandbox::ControlType::kFailed:
      return Read<sandbox::FailedMessage>(bytes);
    case sandbox::ControlType::kLockQuestion:
      return Read<sandbox::LockQuestionMessage>(bytes);
    case sandbox::ControlType::kDone:
      return Read<sandbox::DoneMessage>(bytes);
    default:
      return std::nullopt;
  }
}

ipc::SetupError ToSetupError(const sandbox::SetupRecord& record) {
  return {static_cast<uint32_t>(record.stage), record.index, std::clamp(record.error_number, 0, kLastErrno),
          0};
}

void AddDone(const sandbox::DoneMessage& message, int64_t now_ns, Evidence& evidence, RunTimes& times) {
  evidence.main_ended = true;
  evidence.exited = message.wait_code == CLD_EXITED;
  evidence.exit_code = evidence.exited ? message.wait_status & 0xff : 0;
  evidence.term_signal = evidence.exited ? 0 : std::clamp(message.wait_status, 1, kLastSignal);
  const bool violation = message.violation_syscall >= 0 && message.violation_syscall < kSyscallNumbers;
  evidence.violation_syscall = violation ? message.violation_syscall : -1;
  evidence.denial_rate_hit = message.denial_rate_hit == 1;
  evidence.denials_in_last_second = message.denials_in_last_second;
  if (message.exec_ns >= times.start_ns && message.exec_ns <= message.exit_ns && message.exit_ns <= now_ns) {
    times.exec_ns = message.exec_ns;
    times.exit_ns = message.exit_ns;
    if (evidence.cause == EndCause::kNone) {
      evidence.wall_used_ns = static_cast<uint64_t>(times.exit_ns - times.start_ns);
    }
  }
}

}  // namespace caisson::orchestrator
