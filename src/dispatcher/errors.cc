#include "dispatcher/errors.h"

#include <google/protobuf/any.pb.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <algorithm>
#include <array>

#include "common/status.h"
#include "common/utf8.h"

namespace caisson::dispatcher {
namespace {

constexpr size_t kMaxQuotedBytes = 64;
constexpr size_t kMaxComplaintBytes = 512;

constexpr std::array kReasons = {
    ReasonInfo{Reason::kInvalidRequest, "INVALID_REQUEST", grpc::StatusCode::INVALID_ARGUMENT,
               "INVALID_ARGUMENT", false},
    ReasonInfo{Reason::kFieldNotSupported, "FIELD_NOT_SUPPORTED", grpc::StatusCode::UNIMPLEMENTED,
               "UNIMPLEMENTED", false},
    ReasonInfo{Reason::kProfileNotFound, "PROFILE_NOT_FOUND", grpc::StatusCode::NOT_FOUND, "NOT_FOUND",
               false},
    ReasonInfo{Reason::kProfileUnavailable, "PROFILE_UNAVAILABLE", grpc::StatusCode::FAILED_PRECONDITION,
               "FAILED_PRECONDITION", false},
    ReasonInfo{Reason::kLimitExceedsHost, "LIMIT_EXCEEDS_HOST", grpc::StatusCode::INVALID_ARGUMENT,
               "INVALID_ARGUMENT", false},
    ReasonInfo{Reason::kRequestTooLarge, "REQUEST_TOO_LARGE", grpc::StatusCode::RESOURCE_EXHAUSTED,
               "RESOURCE_EXHAUSTED", false},
    ReasonInfo{Reason::kQueueFull, "QUEUE_FULL", grpc::StatusCode::RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED",
               true},
    ReasonInfo{Reason::kRunNotFound, "RUN_NOT_FOUND", grpc::StatusCode::NOT_FOUND, "NOT_FOUND", false},
    ReasonInfo{Reason::kRunCanceled, "RUN_CANCELED", grpc::StatusCode::CANCELLED, "CANCELLED", false},
    ReasonInfo{Reason::kShuttingDown, "SHUTTING_DOWN", grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE", true},
    ReasonInfo{Reason::kSupervisorUnavailable, "SUPERVISOR_UNAVAILABLE", grpc::StatusCode::UNAVAILABLE,
               "UNAVAILABLE", true},
    ReasonInfo{Reason::kClientGone, "CLIENT_GONE", grpc::StatusCode::CANCELLED, "CANCELLED", false},
    ReasonInfo{Reason::kInputOutOfOrder, "INPUT_OUT_OF_ORDER", grpc::StatusCode::FAILED_PRECONDITION,
               "FAILED_PRECONDITION", false},
    ReasonInfo{Reason::kInputTimeout, "INPUT_TIMEOUT", grpc::StatusCode::DEADLINE_EXCEEDED,
               "DEADLINE_EXCEEDED", false},
    ReasonInfo{Reason::kRequestIdReused, "REQUEST_ID_REUSED", grpc::StatusCode::ALREADY_EXISTS,
               "ALREADY_EXISTS", false},
    ReasonInfo{Reason::kStorageFull, "STORAGE_FULL", grpc::StatusCode::RESOURCE_EXHAUSTED,
               "RESOURCE_EXHAUSTED", true},
    ReasonInfo{Reason::kStorageFailed, "STORAGE_FAILED", grpc::StatusCode::INTERNAL, "INTERNAL", false},
    ReasonInfo{Reason::kOutputNotStored, "OUTPUT_NOT_STORED", grpc::StatusCode::FAILED_PRECONDITION,
               "FAILED_PRECONDITION", false},
    ReasonInfo{Reason::kOffsetOutOfRange, "OFFSET_OUT_OF_RANGE", grpc::StatusCode::OUT_OF_RANGE,
               "OUT_OF_RANGE", false},
    ReasonInfo{Reason::kTokenMissing, "TOKEN_MISSING", grpc::StatusCode::UNAUTHENTICATED, "UNAUTHENTICATED",
               false},
    ReasonInfo{Reason::kTokenMalformed, "TOKEN_MALFORMED", grpc::StatusCode::UNAUTHENTICATED,
               "UNAUTHENTICATED", false},
    ReasonInfo{Reason::kTokenNotValid, "TOKEN_NOT_VALID", grpc::StatusCode::UNAUTHENTICATED,
               "UNAUTHENTICATED", false},
    ReasonInfo{Reason::kTokenExpired, "TOKEN_EXPIRED", grpc::StatusCode::UNAUTHENTICATED, "UNAUTHENTICATED",
               false},
    ReasonInfo{Reason::kRoleNotAllowed, "ROLE_NOT_ALLOWED", grpc::StatusCode::PERMISSION_DENIED,
               "PERMISSION_DENIED", false},
    ReasonInfo{Reason::kTenantWithoutPolicy, "TENANT_WITHOUT_POLICY", grpc::StatusCode::PERMISSION_DENIED,
               "PERMISSION_DENIED", false},
    ReasonInfo{Reason::kProfileNotAllowed, "PROFILE_NOT_ALLOWED", grpc::StatusCode::PERMISSION_DENIED,
               "PERMISSION_DENIED", false},
    ReasonInfo{Reason::kLimitNotAllowed, "LIMIT_NOT_ALLOWED", grpc::StatusCode::PERMISSION_DENIED,
               "PERMISSION_DENIED", false},
    ReasonInfo{Reason::kQuotaExceeded, "QUOTA_EXCEEDED", grpc::StatusCode::RESOURCE_EXHAUSTED,
               "RESOURCE_EXHAUSTED", true},
    ReasonInfo{Reason::kDeadlineTooSoon, "DEADLINE_TOO_SOON", grpc::StatusCode::RESOURCE_EXHAUSTED,
               "RESOURCE_EXHAUSTED", true},
    ReasonInfo{Reason::kReloadRefused, "RELOAD_REFUSED", grpc::StatusCode::FAILED_PRECONDITION,
               "FAILED_PRECONDITION", false},
};

// Collects details and makes the status.
class StatusBuilder {
 public:
  StatusBuilder(Reason reason, const std::string& message, const std::map<std::string, std::string>& metadata)
      : info_(InfoOf(reason)) {
    status_.set_code(static_cast<int>(info_.code));
    status_.set_message(message);
    google::rpc::ErrorInfo error;
    error.set_reason(info_.name);
    error.set_domain(kErrorDomain);
    for (const auto& [key, value] : metadata) {
      (*error.mutable_metadata())[key] = value;
    }
    Add(error);
  }

  template <typename Detail>
  void Add(const Detail& detail) {
    status_.add_details()->PackFrom(detail);
  }

  void AddRetry(int64_t delay_ms) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(delay_ms / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(delay_ms % 1000) * 1'000'000);
    Add(retry);
  }

  // The third argument travels as grpc-status-details-bin.
  grpc::Status Build() const { return {info_.code, status_.message(), status_.SerializeAsString()}; }

 private:
  const ReasonInfo& info_;
  google::rpc::Status status_;
};

}  // namespace

std::span<const ReasonInfo> AllReasons() { return kReasons; }

const ReasonInfo& InfoOf(Reason reason) {
  const auto* const found = std::find_if(kReasons.begin(), kReasons.end(),
                                         [reason](const ReasonInfo& info) { return info.reason == reason; });
  CAISSON_CHECK(found != kReasons.end());
  return *found;
}

std::string ReasonName(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& any : details.details()) {
      if (any.UnpackTo(&info)) {
        return info.reason();
      }
    }
  }
  return "other";
}

grpc::Status Refuse(Reason reason, const std::string& message,
                    const std::map<std::string, std::string>& metadata) {
  return StatusBuilder(reason, message, metadata).Build();
}

grpc::Status RefuseFields(Reason reason, const std::vector<FieldViolation>& violations) {
  CAISSON_CHECK(!violations.empty());
  std::string message = violations.front().field + ": " + violations.front().description;
  if (violations.size() > 1) {
    message += " (and " + std::to_string(violations.size() - 1) + " more)";
  }
  StatusBuilder builder(reason, message, {});
  google::rpc::BadRequest bad_request;
  for (const FieldViolation& violation : violations) {
    auto* entry = bad_request.add_field_violations();
    entry->set_field(violation.field);
    entry->set_description(violation.description);
  }
  builder.Add(bad_request);
  return builder.Build();
}

grpc::Status RefuseForNow(Reason reason, const std::string& message, int64_t retry_delay_ms) {
  StatusBuilder builder(reason, message, {});
  builder.AddRetry(retry_delay_ms);
  return builder.Build();
}

grpc::Status RefuseQuota(Reason reason, const std::string& message, const std::string& subject,
                         int64_t retry_delay_ms, const std::map<std::string, std::string>& metadata) {
  StatusBuilder builder(reason, message, metadata);
  google::rpc::QuotaFailure failure;
  auto* violation = failure.add_violations();
  violation->set_subject(subject);
  violation->set_description(message);
  builder.Add(failure);
  builder.AddRetry(retry_delay_ms);
  return builder.Build();
}

grpc::Status RefuseMissing(Reason reason, const std::string& type, const std::string& name,
                           const std::map<std::string, std::string>& metadata) {
  std::string message = "no " + type + " is named " + Quoted(name);
  if (const auto nearest = metadata.find("nearest"); nearest != metadata.end() && !nearest->second.empty()) {
    message += "; nearest: " + nearest->second;
  }
  StatusBuilder builder(reason, message, metadata);
  google::rpc::ResourceInfo resource;
  resource.set_resource_type(type);
  resource.set_resource_name(name.substr(0, kMaxQuotedBytes));
  builder.Add(resource);
  return builder.Build();
}

grpc::Status RefuseConfiguration(Reason reason, std::string_view complaints) {
  // What was cut at its end may end within a character.
  const std::string text = ReplaceInvalidUtf8(complaints);
  google::rpc::PreconditionFailure failure;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty()) {
      continue;
    }
    auto* violation = failure.add_violations();
    violation->set_type("CONFIGURATION");
    const size_t place = line.find(": ");
    const size_t key = place == std::string_view::npos ? place : line.find(": ", place + 2);
    violation->set_subject(std::string(key == std::string_view::npos ? "" : line.substr(0, key)));
    violation->set_description(std::string(key == std::string_view::npos ? line : line.substr(key + 2)));
  }
  // Message and details together must be metadata that a client takes.
  std::string message = ReplaceInvalidUtf8(text.substr(0, std::min(text.find('\n'), kMaxComplaintBytes)));
  if (failure.violations_size() > 1) {
    message += " (and " + std::to_string(failure.violations_size() - 1) + " more)";
  }
  StatusBuilder builder(reason, message, {});
  builder.Add(failure);
  return builder.Build();
}

std::string Quoted(std::string_view text) {
  std::string result = "\"";
  for (const char byte : text.substr(0, kMaxQuotedBytes)) {
    result += byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\' ? byte : '?';
  }
  return result + (text.size() > kMaxQuotedBytes ? "...\"" : "\"");
}

}  // namespace caisson::dispatcher
