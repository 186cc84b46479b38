#include "ipc/codec.h"

#include <csignal>

#include "common/status.h"
#include "ipc/field_checks.h"

namespace caisson::ipc {
namespace {

constexpr size_t kStartFds = 1;

absl::Status Check(const Prepare& message) {
  FieldChecks checks(MessageType::kPrepare);
  checks.NotZero(message.sandbox, "sandbox");
  checks.Require(IsName(message.profile), "profile", "is not a profile name");
  checks.Enum(message.step, Step::kCompile, Step::kRun, "step");
  checks.Flag(message.tty, "tty");
  checks.NotZero(message.disk_bytes, "disk_bytes");
  checks.NotZero(message.inode_count, "inode_count");
  checks.Flag(message.leaves_last, "leaves_last");
  checks.Zero(message.reserved, "reserved");
  return checks.status();
}

absl::Status Check(const Start& message) {
  FieldChecks checks(MessageType::kStart);
  checks.NotZero(message.sandbox, "sandbox");
  checks.NotZero(message.limits.wall_time_ms, "wall_time_ms");
  checks.NotZero(message.limits.cpu_time_ms, "cpu_time_ms");
  checks.NotZero(message.limits.memory_bytes, "memory_bytes");
  checks.NotZero(message.limits.pids, "pids");
  checks.NotZero(message.limits.open_files, "open_files");
  checks.NotZero(message.limits.file_size_bytes, "file_size_bytes");
  checks.NotZero(message.limits.stack_bytes, "stack_bytes");
  checks.NotZero(message.limits.cpu_millis, "cpu_millis");
  checks.Require(message.collect_ms <= kMaxCollectMs, "collect_ms", "is out of range");
  return checks.status();
}

absl::Status Check(const Cancel& message) {
  FieldChecks checks(MessageType::kCancel);
  checks.NotZero(message.sandbox, "sandbox");
  checks.Enum(message.reason, CancelReason::kClient, CancelReason::kShutdown, "reason");
  if (message.reason == CancelReason::kOutputLimit) {
    checks.Require(message.detail == 1 || message.detail == 2, "detail", "names neither stdout nor stderr");
    checks.NotZero(message.limit, "limit");
    checks.Require(message.observed >= message.limit, "observed", "is below the limit");
  } else {
    checks.Zero(message.detail, "detail");
    checks.Zero(message.limit, "limit");
    checks.Zero(message.observed, "observed");
  }
  return checks.status();
}

absl::Status Check(const Signal& message) {
  FieldChecks checks(MessageType::kSignal);
  checks.NotZero(message.sandbox, "sandbox");
  checks.Require(IsForwardableSignal(message.signal_number), "signal_number", "is not one to be sent");
  checks.Zero(message.reserved, "reserved");
  return checks.status();
}

absl::Status Check(const Serving&) { return absl::OkStatus(); }
absl::Status Check(const Reload&) { return absl::OkStatus(); }

template <class M>
absl::StatusOr<Request> Decode(std::span<const std::byte> bytes, size_t fd_count, size_t expected_fds) {
  M message{};
  RETURN_IF_ERROR(ReadMessage(bytes, fd_count, expected_fds, message));
  RETURN_IF_ERROR(Check(message));
  return Request(message);
}

}  // namespace

bool IsForwardableSignal(int32_t signal_number) {
  switch (signal_number) {
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGUSR1:
    case SIGUSR2:
    case SIGALRM:
    case SIGTERM:
    case SIGCONT:
    case SIGTSTP:
    case SIGWINCH:
      return true;
    default:
      return false;
  }
}

absl::StatusOr<Request> DecodeRequest(std::span<const std::byte> bytes, size_t fd_count) {
  Header header{};
  RETURN_IF_ERROR(ReadHeader(bytes, header));
  switch (header.type) {
    case MessageType::kPrepare:
      return Decode<Prepare>(bytes, fd_count, 0);
    case MessageType::kStart:
      return Decode<Start>(bytes, fd_count, kStartFds);
    case MessageType::kCancel:
      return Decode<Cancel>(bytes, fd_count, 0);
    case MessageType::kServing:
      return Decode<Serving>(bytes, fd_count, 0);
    case MessageType::kSignal:
      return Decode<Signal>(bytes, fd_count, 0);
    case MessageType::kReload:
      return Decode<Reload>(bytes, fd_count, 0);
    default:
      return absl::InvalidArgumentError("decode message: type is not a request");
  }
}

std::string_view MessageName(MessageType type) {
  switch (type) {
    case MessageType::kPrepare:
      return "PREPARE";
    case MessageType::kStart:
      return "START";
    case MessageType::kCancel:
      return "CANCEL";
    case MessageType::kServing:
      return "SERVING";
    case MessageType::kSignal:
      return "SIGNAL";
    case MessageType::kReload:
      return "RELOAD";
    case MessageType::kHello:
      return "HELLO";
    case MessageType::kPrepared:
      return "PREPARED";
    case MessageType::kPrepareFailed:
      return "PREPARE_FAILED";
    case MessageType::kStarted:
      return "STARTED";
    case MessageType::kStartRefused:
      return "START_REFUSED";
    case MessageType::kFinished:
      return "FINISHED";
    case MessageType::kDrain:
      return "DRAIN";
    case MessageType::kListener:
      return "LISTENER";
    case MessageType::kPolicy:
      return "POLICY";
    case MessageType::kReloaded:
      return "RELOADED";
  }
  return "unknown";
}

}  // namespace caisson::ipc
