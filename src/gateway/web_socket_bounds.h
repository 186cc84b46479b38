// How long what a client's WebSocket does may take.
#ifndef CAISSON_GATEWAY_WEB_SOCKET_BOUNDS_H_
#define CAISSON_GATEWAY_WEB_SOCKET_BOUNDS_H_

#include <chrono>

namespace caisson::gateway {

struct WebSocketBounds {
  // A client of which nothing is heard, not even a pong; the whole of a message that has begun; the first one
  // after the handshake. After a third of it in silence there is a ping.
  std::chrono::milliseconds idle{60'000};
  std::chrono::milliseconds write{30'000};   // one message
  std::chrono::milliseconds closing{2'000};  // from our closing frame to the client's
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_WEB_SOCKET_BOUNDS_H_
