// A client's WebSocket (RFC 6455, Boost.Beast's): messages in, messages out, each within its bounds of size
// and time, and who is gone is noticed. Says nothing about what a message means. One thread. Untrusted: every
// frame, how fast they come, and how fast the client reads.
#ifndef CAISSON_GATEWAY_WEB_SOCKET_H_
#define CAISSON_GATEWAY_WEB_SOCKET_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gateway/awaitable.h"
#include "gateway/byte_budget.h"
#include "gateway/http_connection.h"
#include "gateway/latch.h"
#include "gateway/problem.h"
#include "gateway/web_socket_bounds.h"

namespace caisson::gateway {

struct WebSocketMessage {
  std::string bytes;
  bool is_text = false;  // then it is UTF-8
};

// RFC 6455, section 7.4.
namespace close_code {
inline constexpr uint16_t kNormal = 1000;
inline constexpr uint16_t kGoingAway = 1001;
inline constexpr uint16_t kBadPayload = 1007;
inline constexpr uint16_t kPolicy = 1008;
inline constexpr uint16_t kInternal = 1011;
}  // namespace close_code

class WebSocket {
 public:
  // All outlive it. `on_gone`, as often as it likes: the client is gone, or was cut off, while nobody reads.
  WebSocket(HttpConnection& connection, const WebSocketBounds& bounds, ByteBudget& budget,
            std::function<void()> on_gone);
  // ORDER: after Close has been waited for.
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // Answers the request that was read last, which must have passed CheckUpgrade.
  boost::asio::awaitable<bool> Accept(const std::map<std::string, std::string>& headers);

  // The next message, of at most `most` bytes. False where there is none: the client is gone or was told off
  // (1002 a breach of the protocol, 1007 text that is not UTF-8, 1009 too large), or `refused` says why. One
  // caller at a time; Send may go on beside it.
  boost::asio::awaitable<bool> Receive(size_t most, WebSocketMessage& message,
                                       std::optional<Problem>& refused);
  // For who has parsed it: a message's own memory goes, and it counts on for what was made of it, up to
  // Forget.
  static void Drop(WebSocketMessage& message);
  void Forget(WebSocketMessage& message);
  // ORDER: before Send, for an event of the daemon's of `event_bytes`. False: no room came free, and the
  // connection is over.
  boost::asio::awaitable<bool> WaitForEventRoom(size_t event_bytes);
  // Text. One caller at a time. False: the connection is over.
  boost::asio::awaitable<bool> Send(std::string text);

  // Tells the client where it is still there, and waits for the end of everything that goes on. Once.
  boost::asio::awaitable<void> Close(uint16_t code, std::string reason);
  // A client that does not read has no more than the closing time from now on.
  void Hurry();

 private:
  // What the timer has of it.
  struct Beat {
    Beat(WebSocket& of, const boost::asio::any_io_executor& executor) : owner(&of), timer(executor) {}
    WebSocket* owner;
    boost::asio::steady_timer timer;
  };
  using Clock = std::chrono::steady_clock;
  using Stream = boost::beast::websocket::stream<boost::asio::ip::tcp::socket&, false>;

  static void Wait(const std::shared_ptr<Beat>& beat);
  void Look();
  bool IsOverdue(Clock::time_point now) const;
  std::chrono::milliseconds PingTime(Clock::time_point now) const;
  void Ping();
  void Abort();
  bool HungUp() const;
  void Settle();

  HttpConnection& connection_;
  WebSocketBounds bounds_;
  ByteBudget::Share share_;       // of what comes
  ByteBudget::Share sent_share_;  // of what goes
  std::function<void()> on_gone_;
  Stream stream_;
  Latch calm_;
  std::shared_ptr<Beat> beat_;
  std::optional<Clock::time_point> write_began_;
  std::optional<Clock::time_point> message_began_;
  std::optional<Clock::time_point> closing_began_;
  Clock::time_point heard_;
  Clock::time_point pinged_;
  size_t control_frames_ = 0;  // since the last look
  bool accepted_ = false;
  bool reading_ = false;
  bool pinging_ = false;
  bool aborted_ = false;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_WEB_SOCKET_H_
