// What of a request goes on to the daemon with the call that it becomes. Untrusted: all of it.
#ifndef CAISSON_GATEWAY_FORWARDED_H_
#define CAISSON_GATEWAY_FORWARDED_H_

#include <grpcpp/client_context.h>

#include <string>

#include "gateway/request_head.h"

namespace caisson::gateway {

struct Forwarded {
  std::string request_id;
  std::string traceparent;
  std::string authorization;  // the client's token: the daemon's to judge, never logged
};

// A page's WebSocket cannot have headers of its own; it shows its token as one more subprotocol that it
// offers.
inline constexpr char kBearerSubprotocol[] = "caisson.bearer.";

Forwarded ForwardedOf(const RequestHeader& head, std::string request_id);

void Forward(const Forwarded& from, grpc::ClientContext& context);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_FORWARDED_H_
