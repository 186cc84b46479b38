// What went wrong, as RFC 9457 problem details. Pure. Untrusted: what a refusal quotes of a client's request,
// and the daemon's word, of which only text and numbers are taken.
#ifndef CAISSON_GATEWAY_PROBLEM_H_
#define CAISSON_GATEWAY_PROBLEM_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::gateway {

// What the gateway refuses by itself, before the daemon hears of it. docs/http.md has the same table.
enum class Refusal : uint8_t {
  kMalformedHttp,
  kHeadersTooLarge,
  kBodyTooLarge,
  kRequestTimeout,
  kHostNotAllowed,
  kOriginNotAllowed,
  kNoSuchRoute,
  kMethodNotAllowed,
  kUnsupportedMediaType,
  kNotAcceptable,
  kUpgradeRequired,
  kSubprotocolRequired,
  kMalformedJson,
  kInvalidRequest,
  kInvalidQuery,
  kAnswerTooLarge,
  kTooManyConnections,
  kBusy,
  kDaemonUnreachable,
  kStopping,
  kInternal,
};

struct RefusalRow {
  Refusal refusal;
  const char* reason;  // "MALFORMED_JSON"
  unsigned http;
  const char* code;  // gRPC's name for the kind
  const char* title;
};

std::span<const RefusalRow> AllRefusals();
const RefusalRow& RowOf(Refusal refusal);

struct Violation {
  std::string field;  // "files[2].path"; empty: the whole of it
  std::string description;
};

struct Problem {
  unsigned http = 500;
  std::string code;  // "INVALID_ARGUMENT"
  std::string title;
  std::string detail;
  std::string reason;  // ErrorInfo's; empty where the daemon gave none
  std::string domain;  // "caisson.dev", or "gateway.caisson.dev"
  std::vector<Violation> violations;
  std::map<std::string, std::string> metadata;
  int64_t retry_after_ms = -1;  // -1: no word about it
};

Problem Refuse(Refusal refusal, std::string detail, std::vector<Violation> violations = {});
// Of a call that failed; `status` is not OK.
Problem FromStatus(const grpc::Status& status);

// The value of Retry-After in whole seconds, rounded up; empty without one.
std::string RetryAfter(const Problem& problem);
// application/problem+json, one line. `request_id` becomes `instance`.
std::string ProblemJson(const Problem& problem, std::string_view request_id);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_PROBLEM_H_
