// Refusals: every gRPC status that Caisson itself makes, with its google.rpc details. One table of reasons,
// which docs/errors.md repeats for people (a unit test holds the two together). Runs in caisson-dispatcher.
// Client data in messages is quoted and cut here.
#ifndef CAISSON_DISPATCHER_ERRORS_H_
#define CAISSON_DISPATCHER_ERRORS_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::dispatcher {

inline constexpr char kErrorDomain[] = "caisson.dev";

enum class Reason : uint8_t {
  kInvalidRequest,
  kFieldNotSupported,
  kProfileNotFound,
  kProfileUnavailable,
  kLimitExceedsHost,
  kRequestTooLarge,
  kQueueFull,
  kRunNotFound,
  kRunCanceled,
  kShuttingDown,
  kSupervisorUnavailable,
  kClientGone,
  kInputOutOfOrder,
  kInputTimeout,
  kRequestIdReused,
  kStorageFull,
  kStorageFailed,
  kOutputNotStored,
  kOffsetOutOfRange,
  kTokenMissing,
  kTokenMalformed,
  kTokenNotValid,
  kTokenExpired,
  kRoleNotAllowed,
  kTenantWithoutPolicy,
  kProfileNotAllowed,
  kLimitNotAllowed,
  kQuotaExceeded,
  kDeadlineTooSoon,
  kReloadRefused,
};

struct ReasonInfo {
  Reason reason;
  const char* name;  // ErrorInfo.reason
  grpc::StatusCode code;
  const char* code_name;
  bool retryable;  // the same request may succeed later, unchanged
};

std::span<const ReasonInfo> AllReasons();
const ReasonInfo& InfoOf(Reason reason);

// One violated field, by its path in the request: "files[2].path", "limits.memory_bytes".
struct FieldViolation {
  std::string field;
  std::string description;
};

// The name of the reason that a status of ours has; "other" for any other.
std::string ReasonName(const grpc::Status& status);

// A status with ErrorInfo; `metadata` goes into it.
grpc::Status Refuse(Reason reason, const std::string& message,
                    const std::map<std::string, std::string>& metadata = {});

// With BadRequest: one entry for each violation. The message names the first and counts the rest.
grpc::Status RefuseFields(Reason reason, const std::vector<FieldViolation>& violations);

// With RetryInfo.
grpc::Status RefuseForNow(Reason reason, const std::string& message, int64_t retry_delay_ms);

// RESOURCE_EXHAUSTED with QuotaFailure naming `subject`, and RetryInfo.
grpc::Status RefuseQuota(Reason reason, const std::string& message, const std::string& subject,
                         int64_t retry_delay_ms, const std::map<std::string, std::string>& metadata = {});

// NOT_FOUND with ResourceInfo.
grpc::Status RefuseMissing(Reason reason, const std::string& type, const std::string& name,
                           const std::map<std::string, std::string>& metadata = {});

// With PreconditionFailure: an entry for each line of `complaints`, "FILE:LINE: KEY: reason". The message
// names the first and counts the rest.
grpc::Status RefuseConfiguration(Reason reason, std::string_view complaints);

// `text` in double quotes, control characters and bytes above 126 replaced, at most 64 bytes.
std::string Quoted(std::string_view text);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_ERRORS_H_
