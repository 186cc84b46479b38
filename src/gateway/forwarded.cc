#include "gateway/forwarded.h"

#include <boost/beast/http/rfc7230.hpp>
#include <string_view>
#include <utility>

namespace caisson::gateway {
namespace {

namespace http = boost::beast::http;

// "Bearer TOKEN" of the first subprotocol that names a token, empty without one. What it holds is checked as
// a header's would be: subprotocols are tokens, which have no character that metadata cannot have.
std::string OfSubprotocol(const RequestHeader& head) {
  for (auto [at, end] = head.equal_range(http::field::sec_websocket_protocol); at != end; ++at) {
    for (const auto& offered : http::token_list(at->value())) {
      const std::string_view text(offered.data(), offered.size());
      if (text.rfind(kBearerSubprotocol, 0) == 0) {
        return BoundedAuthorization("Bearer " +
                                    std::string(text.substr(std::string_view(kBearerSubprotocol).size())));
      }
    }
  }
  return {};
}

}  // namespace

Forwarded ForwardedOf(const RequestHeader& head, std::string request_id) {
  Forwarded forwarded{std::move(request_id), Traceparent(head), Authorization(head)};
  if (forwarded.authorization.empty()) {
    forwarded.authorization = OfSubprotocol(head);
  }
  return forwarded;
}

void Forward(const Forwarded& from, grpc::ClientContext& context) {
  context.AddMetadata("x-request-id", from.request_id);
  if (!from.traceparent.empty()) {
    context.AddMetadata("traceparent", from.traceparent);
  }
  if (!from.authorization.empty()) {
    context.AddMetadata("authorization", from.authorization);
  }
}

}  // namespace caisson::gateway
