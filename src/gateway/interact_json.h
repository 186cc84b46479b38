// GET /v1/runs:interact, a WebSocket of the subprotocol caisson.run-interact.v1: the messages of Interact as
// JSON, the events as of an event stream; docs/websocket.md has it. Untrusted: every message of the client.
#ifndef CAISSON_GATEWAY_INTERACT_JSON_H_
#define CAISSON_GATEWAY_INTERACT_JSON_H_

#include <string_view>

#include "gateway/awaitable.h"
#include "gateway/event_json.h"
#include "gateway/interact.h"

namespace caisson::gateway {

inline constexpr char kInteractSubprotocol[] = "caisson.run-interact.v1";

// How a WebSocket is closed that ends with `problem`.
uint16_t CloseCodeOf(const Problem& problem);

class JsonConversation final : public Conversation {
 public:
  explicit JsonConversation(std::string request_id)
      : request_id_(std::move(request_id)), writer_(Framing::kMessages) {}

  std::vector<std::string> Greeting() override;
  boost::asio::awaitable<std::optional<Farewell>> Open(const WebSocketMessage& message,
                                                       v1::InteractRequest& open) override;
  std::optional<Farewell> Hear(const WebSocketMessage& message,
                               std::vector<v1::InteractRequest>& messages) override;
  std::vector<std::string> Tell(const v1::RunEvent& event) override;
  Farewell Late() override;
  Farewell Finished() override;
  Farewell Failed(const Problem& problem) override;

 private:
  const std::string request_id_;
  EventWriter writer_;
};

boost::asio::awaitable<void> Interact(DaemonLink& link, ByteBudget& budget, const WebSocketBounds& bounds,
                                      Exchange& exchange);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_INTERACT_JSON_H_
