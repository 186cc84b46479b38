// What a request's head says besides the route, and whether it may be served at all. Pure. Untrusted: every
// header.
#ifndef CAISSON_GATEWAY_REQUEST_HEAD_H_
#define CAISSON_GATEWAY_REQUEST_HEAD_H_

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "gateway/problem.h"

namespace caisson::gateway {

using RequestHeader = boost::beast::http::request_header<>;

// Beside the bytes, which Beast bounds: each header costs memory of its own.
inline constexpr size_t kMaxHeaders = 64;

struct Doors {
  std::set<std::string> origins;  // "https://play.example.org"; whose pages may use the gateway
  std::set<std::string> hosts;    // names besides the loopback's own under which it answers
};

// A client's X-Request-Id where it is one ([A-Za-z0-9_.-], 1 to 64), else `fresh`.
std::string RequestId(const RequestHeader& head, const std::string& fresh);
// 32 hex digits that nobody can guess.
std::string FreshRequestId();

// W3C trace context, where it is one; what a daemon would not take is not passed on.
std::string Traceparent(const RequestHeader& head);

// What the Authorization header says, for the daemon to judge. Empty without one; kMalformedAuthorization,
// which is nobody's, where there are two, or one that is no text of 1 to 256 printable characters.
std::string Authorization(const RequestHeader& head);
// The text if it is one of those, else kMalformedAuthorization.
std::string BoundedAuthorization(std::string text);
inline constexpr char kMalformedAuthorization[] = "malformed";

// Why the request is refused whatever it asks for. A Host that is not ours is how a page reaches the loopback
// through a name of its own that resolves to it; an Origin that is not allowed is how a page asks with a
// form.
std::optional<Problem> CheckHead(const RequestHeader& head, const Doors& doors);

// The Origin to allow in the answer; empty: none.
std::string AllowedOrigin(const RequestHeader& head, const Doors& doors);

// Content-Type is application/json, in UTF-8.
bool IsJson(const RequestHeader& head);

enum class Answer : uint8_t { kJson, kEvents, kNeither };
// What the Accept header asks for; JSON where it says nothing or both are the same to it.
Answer Accepted(const RequestHeader& head);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_REQUEST_HEAD_H_
