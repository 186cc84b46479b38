// Whether a request asks for a WebSocket (RFC 6455, section 4.2.1) and may have one. Pure. Untrusted: every
// header.
#ifndef CAISSON_GATEWAY_UPGRADE_H_
#define CAISSON_GATEWAY_UPGRADE_H_

#include <optional>
#include <string_view>

#include "gateway/problem.h"
#include "gateway/request_head.h"

namespace caisson::gateway {

// Or why not. The answer to UPGRADE_REQUIRED must have `Upgrade: websocket` and `Sec-WebSocket-Version: 13`.
// `subprotocol`: one of those that the client must offer; empty: none is spoken here, and what it offers is
// passed over.
std::optional<Problem> CheckUpgrade(const RequestHeader& head, std::string_view subprotocol);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_UPGRADE_H_
