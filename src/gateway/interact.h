// An interactive run between a WebSocket and the daemon: what is done with the run, its call and its client,
// whatever words the door has for it. One thread. Untrusted: what the client sends, how fast it reads, and
// what the program puts out.
#ifndef CAISSON_GATEWAY_INTERACT_H_
#define CAISSON_GATEWAY_INTERACT_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "gateway/awaitable.h"
#include "gateway/calls.h"
#include "gateway/problem.h"
#include "gateway/web_socket.h"

namespace caisson::gateway {

// The last that a client is told: messages, then the closing frame.
struct Farewell {
  Farewell(std::vector<std::string> words, uint16_t with, std::string why)
      : texts(std::move(words)), code(with), reason(std::move(why)) {}

  std::vector<std::string> texts;
  uint16_t code;
  std::string reason;  // at most 123 bytes
};

// A door's words. Its functions are called in this order, Failed whenever something went wrong.
class Conversation {
 public:
  virtual ~Conversation() = default;

  // Said before anything was heard.
  virtual std::vector<std::string> Greeting() = 0;
  // By when the first message must have come; what is said where it has not.
  virtual std::chrono::milliseconds OpeningTime(const WebSocketBounds& bounds) const { return bounds.idle; }
  virtual Farewell Late() = 0;
  // The client's first message to the API's; or why there is no run.
  virtual boost::asio::awaitable<std::optional<Farewell>> Open(const WebSocketMessage& message,
                                                               v1::InteractRequest& open) = 0;
  // A later one to any number of the API's; or why the run ends.
  virtual std::optional<Farewell> Hear(const WebSocketMessage& message,
                                       std::vector<v1::InteractRequest>& messages) = 0;
  virtual std::vector<std::string> Tell(const v1::RunEvent& event) = 0;
  // The run has ended, and its result was told.
  virtual Farewell Finished() = 0;
  virtual Farewell Failed(const Problem& problem) = 0;
};

// Answers a request whose upgrade was checked, and sees the run to its end, which is its client's end too.
boost::asio::awaitable<void> Converse(DaemonLink& link, ByteBudget& budget, const WebSocketBounds& bounds,
                                      Exchange& exchange, Conversation& conversation);

// Whether the exchange may have a WebSocket with this subprotocol (CheckUpgrade). Else it has been answered.
boost::asio::awaitable<bool> MayUpgrade(Exchange& exchange, std::string_view subprotocol);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_INTERACT_H_
