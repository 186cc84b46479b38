// The dispatcher's half of the codec: what caissond answers.
#include "common/status.h"
#include "ipc/codec.h"
#include "ipc/field_checks.h"

namespace caisson::ipc {
namespace {

constexpr uint32_t kAllNamespaceBits = (kNsCgroup << 1U) - 1;
constexpr uint32_t kAllMountBits = (kMountPrivate << 1U) - 1;
constexpr uint32_t kAllUsageBits = (kUsageMemoryParts << 1U) - 1;
constexpr uint32_t kMaxStage = 0xffff;  // sandbox::SetupStage is 16 bits wide
constexpr int32_t kMaxErrno = 4095;
constexpr int32_t kMaxSignal = 64;
constexpr int32_t kMaxSyscall = 1023;
constexpr size_t kOneFd = 1;

void CheckIsolation(const IsolationReport& report, FieldChecks& checks) {
  checks.Flag(report.no_new_privs, "no_new_privs");
  checks.Require(report.seccomp_mode <= 2, "seccomp_mode", "is out of range");
  checks.Bits(report.namespaces, kAllNamespaceBits, "namespaces");
  checks.Bits(report.mounts, kAllMountBits, "mounts");
  checks.Flag(report.landlock_enforced, "landlock_enforced");
  checks.Flag(report.loopback_up, "loopback_up");
  checks.Flag(report.learning, "learning");
  checks.Enum(report.root, RootKind::kHost, RootKind::kImage, "root");
}

void CheckError(const SetupError& error, FieldChecks& checks) {
  checks.Require(error.stage <= kMaxStage, "stage", "is out of range");
  checks.Require(error.error_number >= 0 && error.error_number <= kMaxErrno, "error_number",
                 "is out of range");
  checks.Zero(error.reserved, "error.reserved");
}

// PREPARE_FAILED and START_REFUSED say the same things.
template <class M>
absl::Status CheckRefusal(const M& message) {
  FieldChecks checks(MessageTraits<M>::kType);
  checks.NotZero(message.sandbox, "sandbox");
  checks.Enum(message.refusal, Refusal::kUnknownProfile, Refusal::kSetupFailed, "refusal");
  checks.Enum(message.limit, LimitName::kNone, LimitName::kSockets, "limit");
  CheckError(message.error, checks);
  checks.Require(Text(message.message).size() < message.message.size(), "message", "is not NUL-terminated");
  return checks.status();
}

absl::Status Check(const Hello& message) {
  FieldChecks checks(MessageType::kHello);
  checks.NotZero(message.max_sandboxes, "max_sandboxes");
  checks.NotZero(message.memory_budget_bytes, "memory_budget_bytes");
  checks.Enum(CgroupBackend{message.cgroup_backend}, CgroupBackend::kUnified, CgroupBackend::kHybrid,
              "cgroup_backend");
  checks.Flag(message.learning, "learning");
  checks.Require(message.listeners <= kMaxListeners, "listeners", "is out of range");
  checks.NotZero(message.cpu_millis, "cpu_millis");
  return checks.status();
}

absl::Status Check(const Listener& message) {
  FieldChecks checks(MessageType::kListener);
  checks.Enum(message.role, ClientRole::kRun, ClientRole::kAdmin, "role");
  if (message.role == ClientRole::kRun || message.role == ClientRole::kObserve) {
    checks.Require(IsName(message.tenant), "tenant", "is not a tenant's name");
  } else {
    checks.Require(Text(message.tenant).empty(), "tenant", "is given to one who has none");
  }
  if (message.role == ClientRole::kAdmin) {
    checks.NotZero(message.peer_count, "peer_count");
  }
  checks.Require(Text(message.address).size() < message.address.size(), "address", "is not NUL-terminated");
  checks.Require(message.peer_count <= kMaxPeers, "peer_count", "is out of range");
  for (size_t i = std::min<size_t>(message.peer_count, kMaxPeers); i < kMaxPeers; ++i) {
    checks.Zero(message.peers[i], "peers");
  }
  return checks.status();
}

absl::Status Check(const Policy& message) {
  FieldChecks checks(MessageType::kPolicy);
  checks.NotZero(message.bytes, "bytes");
  checks.Flag(message.tokens, "tokens");
  return checks.status();
}

absl::Status Check(const Reloaded& message) {
  FieldChecks checks(MessageType::kReloaded);
  checks.Enum(message.outcome, ReloadOutcome::kTaken, ReloadOutcome::kStopping, "outcome");
  checks.Zero(message.reserved, "reserved");
  checks.Require(message.wait_ms <= kMostReloadWaitMs, "wait_ms", "is out of range");
  const std::string_view text = Text(message.message);
  checks.Require(text.size() < message.message.size(), "message", "is not NUL-terminated");
  checks.Require(text.empty() == (message.outcome != ReloadOutcome::kFaulty), "message",
                 "contradicts outcome");
  return checks.status();
}

absl::Status Check(const Prepared& message) {
  FieldChecks checks(MessageType::kPrepared);
  checks.NotZero(message.sandbox, "sandbox");
  checks.Flag(message.from_pool, "from_pool");
  checks.Zero(message.reserved, "reserved");
  CheckIsolation(message.isolation, checks);
  return checks.status();
}

absl::Status Check(const Started& message) {
  FieldChecks checks(MessageType::kStarted);
  checks.NotZero(message.sandbox, "sandbox");
  CheckIsolation(message.isolation, checks);
  return checks.status();
}

absl::Status Check(const PrepareFailed& message) { return CheckRefusal(message); }
absl::Status Check(const StartRefused& message) { return CheckRefusal(message); }

absl::Status Check(const Finished& message) {
  FieldChecks checks(MessageType::kFinished);
  checks.NotZero(message.sandbox, "sandbox");
  checks.Enum(message.verdict, Verdict::kCompleted, Verdict::kServiceFailed, "verdict");
  checks.Enum(message.ended_by, Actor::kProgram, Actor::kService, "ended_by");
  checks.Enum(message.limit, LimitName::kNone, LimitName::kSockets, "limit");
  checks.Flag(message.exited, "exited");
  checks.Require(message.exit_code >= 0 && message.exit_code <= 255, "exit_code", "is out of range");
  checks.Require(message.term_signal >= 0 && message.term_signal <= kMaxSignal, "term_signal",
                 "is out of range");
  checks.Require(message.exited == 0 || message.term_signal == 0, "term_signal", "contradicts exited");
  checks.Require(message.exited == 1 || message.exit_code == 0, "exit_code", "contradicts exited");
  checks.Require(message.violation_syscall >= -1 && message.violation_syscall <= kMaxSyscall,
                 "violation_syscall", "is out of range");
  checks.Zero(message.reserved, "reserved");
  CheckError(message.error, checks);
  checks.Bits(message.usage.present, kAllUsageBits, "usage.present");
  checks.Zero(message.usage.reserved, "usage.reserved");
  return checks.status();
}

absl::Status Check(const Drain& message) {
  static_cast<void>(message);  // Every grace time is a valid one.
  return absl::OkStatus();
}

template <class M>
absl::StatusOr<Reply> Decode(std::span<const std::byte> bytes, size_t fd_count, size_t expected_fds = 0) {
  M message{};
  RETURN_IF_ERROR(ReadMessage(bytes, fd_count, expected_fds, message));
  RETURN_IF_ERROR(Check(message));
  return Reply(message);
}

}  // namespace

absl::StatusOr<Reply> DecodeReply(std::span<const std::byte> bytes, size_t fd_count) {
  Header header{};
  RETURN_IF_ERROR(ReadHeader(bytes, header));
  switch (header.type) {
    case MessageType::kHello:
      return Decode<Hello>(bytes, fd_count);
    case MessageType::kPrepared:
      return Decode<Prepared>(bytes, fd_count, kPreparedFds);
    case MessageType::kPrepareFailed:
      return Decode<PrepareFailed>(bytes, fd_count);
    case MessageType::kStarted:
      return Decode<Started>(bytes, fd_count);
    case MessageType::kStartRefused:
      return Decode<StartRefused>(bytes, fd_count);
    case MessageType::kFinished:
      return Decode<Finished>(bytes, fd_count);
    case MessageType::kDrain:
      return Decode<Drain>(bytes, fd_count);
    case MessageType::kListener:
      return Decode<Listener>(bytes, fd_count, kOneFd);
    case MessageType::kPolicy:
      return Decode<Policy>(bytes, fd_count, kOneFd);
    case MessageType::kReloaded:
      return Decode<Reloaded>(bytes, fd_count);
    default:
      return absl::InvalidArgumentError("decode message: type is not a reply");
  }
}

}  // namespace caisson::ipc
