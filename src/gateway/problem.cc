#include "gateway/problem.h"

#include <google/protobuf/any.pb.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/status.h"
#include "gateway/status_code.h"

namespace caisson::gateway {
namespace {

constexpr char kDomain[] = "gateway.caisson.dev";
constexpr size_t kMaxViolations = 100;
constexpr int64_t kMillisPerSecond = 1'000;

constexpr std::array kRefusals = {
    RefusalRow{Refusal::kMalformedHttp, "MALFORMED_HTTP", 400, "INVALID_ARGUMENT", "This is not HTTP/1.1"},
    RefusalRow{Refusal::kHeadersTooLarge, "HEADERS_TOO_LARGE", 431, "RESOURCE_EXHAUSTED",
               "The request's head is too large"},
    RefusalRow{Refusal::kBodyTooLarge, "BODY_TOO_LARGE", 413, "RESOURCE_EXHAUSTED",
               "The request's body is too large"},
    RefusalRow{Refusal::kRequestTimeout, "REQUEST_TIMEOUT", 408, "DEADLINE_EXCEEDED",
               "The request did not come in time"},
    RefusalRow{Refusal::kHostNotAllowed, "HOST_NOT_ALLOWED", 421, "PERMISSION_DENIED",
               "The gateway does not answer under this name"},
    RefusalRow{Refusal::kOriginNotAllowed, "ORIGIN_NOT_ALLOWED", 403, "PERMISSION_DENIED",
               "Pages of this origin may not use the gateway"},
    RefusalRow{Refusal::kNoSuchRoute, "NO_SUCH_ROUTE", 404, "NOT_FOUND", "There is nothing here"},
    RefusalRow{Refusal::kMethodNotAllowed, "METHOD_NOT_ALLOWED", 405, "UNIMPLEMENTED",
               "The method is not for this path"},
    RefusalRow{Refusal::kUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", 415, "INVALID_ARGUMENT",
               "The body must be application/json"},
    RefusalRow{Refusal::kNotAcceptable, "NOT_ACCEPTABLE", 406, "INVALID_ARGUMENT",
               "No form of the answer is one that the client accepts"},
    RefusalRow{Refusal::kUpgradeRequired, "UPGRADE_REQUIRED", 426, "FAILED_PRECONDITION",
               "The path serves WebSockets"},
    RefusalRow{Refusal::kSubprotocolRequired, "SUBPROTOCOL_REQUIRED", 400, "INVALID_ARGUMENT",
               "The WebSocket's subprotocol is not offered"},
    RefusalRow{Refusal::kMalformedJson, "MALFORMED_JSON", 400, "INVALID_ARGUMENT",
               "The body is not JSON, or not such JSON"},
    RefusalRow{Refusal::kInvalidRequest, "INVALID_REQUEST", 400, "INVALID_ARGUMENT", "Invalid request"},
    RefusalRow{Refusal::kInvalidQuery, "INVALID_QUERY", 400, "INVALID_ARGUMENT",
               "The query is not one of this path"},
    RefusalRow{Refusal::kAnswerTooLarge, "ANSWER_TOO_LARGE", 400, "OUT_OF_RANGE",
               "The answer is too large for one JSON object"},
    RefusalRow{Refusal::kTooManyConnections, "TOO_MANY_CONNECTIONS", 503, "RESOURCE_EXHAUSTED",
               "Too many connections"},
    RefusalRow{Refusal::kBusy, "BUSY", 503, "RESOURCE_EXHAUSTED", "Too many bytes are under way"},
    RefusalRow{Refusal::kDaemonUnreachable, "DAEMON_UNREACHABLE", 503, "UNAVAILABLE",
               "The daemon cannot be reached"},
    RefusalRow{Refusal::kStopping, "GATEWAY_STOPPING", 503, "UNAVAILABLE", "The gateway is being stopped"},
    RefusalRow{Refusal::kInternal, "INTERNAL", 500, "INTERNAL", "Internal error"},
};

std::string Lower(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '_' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return out;
}

void TakeDetail(const google::protobuf::Any& any, Problem& problem) {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
  if (any.UnpackTo(&info)) {
    problem.reason = info.reason();
    problem.domain = info.domain();
    problem.metadata.insert(info.metadata().begin(), info.metadata().end());
  } else if (any.UnpackTo(&bad_request)) {
    for (const auto& violation : bad_request.field_violations()) {
      if (problem.violations.size() < kMaxViolations) {
        problem.violations.push_back({violation.field(), violation.description()});
      }
    }
  } else if (any.UnpackTo(&retry)) {
    problem.retry_after_ms = std::max<int64_t>(
        retry.retry_delay().seconds() * kMillisPerSecond + retry.retry_delay().nanos() / 1'000'000, 0);
  }
}

}  // namespace

std::span<const RefusalRow> AllRefusals() { return kRefusals; }

const RefusalRow& RowOf(Refusal refusal) {
  const auto found = std::find_if(kRefusals.begin(), kRefusals.end(),
                                  [refusal](const RefusalRow& row) { return row.refusal == refusal; });
  CAISSON_CHECK(found != kRefusals.end());
  return *found;
}

Problem Refuse(Refusal refusal, std::string detail, std::vector<Violation> violations) {
  const RefusalRow& row = RowOf(refusal);
  Problem problem;
  problem.http = row.http;
  problem.code = row.code;
  problem.title = row.title;
  problem.detail = std::move(detail);
  problem.reason = row.reason;
  problem.domain = kDomain;
  problem.violations = std::move(violations);
  return problem;
}

Problem FromStatus(const grpc::Status& status) {
  const StatusCodeRow& row = RowOf(status.error_code());
  Problem problem;
  problem.http = row.http;
  problem.code = row.name;
  problem.title = row.title;
  problem.detail = status.error_message();
  google::rpc::Status details;
  // What does not parse is treated as absent.
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& any : details.details()) {
      TakeDetail(any, problem);
    }
  }
  return problem;
}

std::string RetryAfter(const Problem& problem) {
  if (problem.retry_after_ms < 0) {
    return {};
  }
  return std::to_string((problem.retry_after_ms + kMillisPerSecond - 1) / kMillisPerSecond);
}

std::string ProblemJson(const Problem& problem, std::string_view request_id) {
  nlohmann::ordered_json json;
  json["type"] = problem.reason.empty() ? "about:blank" : "urn:caisson:problem:" + Lower(problem.reason);
  json["title"] = problem.title;
  json["status"] = problem.http;
  json["detail"] = problem.detail;
  json["instance"] = "urn:caisson:request:" + std::string(request_id);
  json["code"] = problem.code;
  if (!problem.reason.empty()) {
    json["reason"] = problem.reason;
    json["domain"] = problem.domain;
  }
  if (!problem.metadata.empty()) {
    json["metadata"] = problem.metadata;
  }
  if (!problem.violations.empty()) {
    auto list = nlohmann::ordered_json::array();
    for (const Violation& violation : problem.violations) {
      list.push_back({{"field", violation.field}, {"description", violation.description}});
    }
    json["violations"] = std::move(list);
  }
  if (problem.retry_after_ms >= 0) {
    json["retry_after_ms"] = problem.retry_after_ms;
  }
  // A quoted byte that is no UTF-8 must not cost the answer.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace caisson::gateway
