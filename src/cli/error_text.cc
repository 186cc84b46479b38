#include "cli/error_text.h"

#include <array>
#include <cstdio>

#include "cli/text.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace caisson::cli {
namespace {

constexpr int kMaxShownViolations = 20;

const char* CodeText(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::CANCELLED:
      return "canceled";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "invalid request";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "the deadline passed";
    case grpc::StatusCode::NOT_FOUND:
      return "not found";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "permission denied";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "too much";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "not possible on this host";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "not supported";
    case grpc::StatusCode::INTERNAL:
      return "internal error";
    case grpc::StatusCode::UNAVAILABLE:
      return "unavailable";
    default:
      return "failed";
  }
}

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  // A server that is not ours may send anything here; what does not parse is treated as absent.
  if (!details.ParseFromString(status.error_details())) {
    details.Clear();
  }
  return details;
}

std::string ViolationsText(const google::rpc::BadRequest& bad_request) {
  std::string text;
  int shown = 0;
  for (const auto& violation : bad_request.field_violations()) {
    text += text.empty() ? "" : "; ";
    if (++shown > kMaxShownViolations) {
      return text + "and " + std::to_string(bad_request.field_violations_size() - kMaxShownViolations) +
             " more";
    }
    text += violation.field() + ": " + violation.description();
  }
  return text;
}

std::string SecondsText(const google::protobuf::Duration& duration) {
  const double seconds =
      static_cast<double>(duration.seconds()) + static_cast<double>(duration.nanos()) / 1e9;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", seconds);
  return std::string(text.data()) + " s";
}

bool AlreadySays(const std::string& text, const std::string& names) {
  return text.find(names) != std::string::npos;
}

}  // namespace

std::string StatusText(const grpc::Status& status) {
  std::string text = status.error_message().empty()
                         ? CodeText(status.error_code())
                         : std::string(CodeText(status.error_code())) + ": " + status.error_message();
  std::string violations;
  std::string nearest;
  std::string retry;
  const google::rpc::Status details = Details(status);
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::BadRequest bad_request;
    google::rpc::RetryInfo retry_info;
    google::rpc::ErrorInfo error_info;
    if (any.UnpackTo(&bad_request)) {
      violations = ViolationsText(bad_request);
    } else if (any.UnpackTo(&retry_info)) {
      retry = SecondsText(retry_info.retry_delay());
    } else if (any.UnpackTo(&error_info)) {
      const auto found = error_info.metadata().find("nearest");
      nearest = found == error_info.metadata().end() ? "" : found->second;
    }
  }
  if (!violations.empty()) {
    // The fields say all that the message would.
    text = std::string(CodeText(status.error_code())) + ": " + violations;
  }
  if (!nearest.empty() && !AlreadySays(text, nearest)) {
    text += "; did you mean " + nearest + "?";
  }
  if (!retry.empty()) {
    text += "; try again in " + retry;
  }
  return Printable(text);
}

std::string StatusReason(const grpc::Status& status) {
  const google::rpc::Status details = Details(status);
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::ErrorInfo error_info;
    if (any.UnpackTo(&error_info)) {
      return error_info.reason();
    }
  }
  return "";
}

}  // namespace caisson::cli
