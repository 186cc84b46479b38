// One client's connection: requests in, answers and events out, each within its bounds of size and time. Says
// nothing about what a request means. Untrusted: every byte that comes in, how fast it comes, and how fast
// the client reads.
#ifndef CAISSON_GATEWAY_HTTP_CONNECTION_H_
#define CAISSON_GATEWAY_HTTP_CONNECTION_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/awaitable.h"
#include "gateway/byte_budget.h"
#include "gateway/deadline.h"
#include "gateway/problem.h"
#include "gateway/request_head.h"

namespace caisson::gateway {

struct HttpBounds {
  size_t head_bytes = size_t{16} << 10U;
  // A request of 16 MiB, all of it files in base64, with room for the names.
  size_t body_bytes = size_t{24} << 20U;
  std::chrono::milliseconds idle{60'000};  // between two requests
  std::chrono::milliseconds head{10'000};  // from the first byte to the end of the head
  std::chrono::milliseconds body{60'000};
  std::chrono::milliseconds write{30'000};  // an answer, or one event
  std::chrono::milliseconds linger{2'000};  // after the last answer, for a client that still sends
};

struct Response {
  Response(unsigned code, std::string type, std::string text, std::map<std::string, std::string> more)
      : status(code), content_type(std::move(type)), body(std::move(text)), headers(std::move(more)) {}

  unsigned status;
  std::string content_type;
  std::string body;
  std::map<std::string, std::string> headers;
};

class HttpConnection {
 public:
  // `budget` outlives it.
  HttpConnection(boost::asio::ip::tcp::socket socket, const HttpBounds& bounds, ByteBudget& budget);

  // The head of the next request. Nothing where there is none: the client is gone, was idle for too long, or
  // sent what is no request, which `refused` says then (told with Respond, it is the last).
  boost::asio::awaitable<bool> ReadHead(std::optional<Problem>& refused);
  const RequestHeader& head() const { return parser_->get(); }
  const boost::beast::http::request<boost::beast::http::string_body>& request() const {
    return parser_->get();
  }
  // Bytes of what follows the request have come already.
  bool has_more() const { return buffer_.size() != 0; }
  bool has_body() const;
  bool BodyIsWhole() const { return parser_->is_done(); }
  // Its body. False where it did not come whole; `refused` as above.
  boost::asio::awaitable<bool> ReadBody(std::optional<Problem>& refused);
  const std::string& body() const { return parser_->get().body(); }
  // For who has parsed the body: its memory goes. What it counted for counts on, for what was made of it.
  void DropBody();
  // The daemon has that, or nobody wants it. Every answer says so by itself.
  void ReleaseBody();
  // Nothing of the body is left; an answer of `bytes` counts instead. False where there is no room for it.
  bool HasRoomFor(size_t bytes);

  // False where it could not be written: the connection is over. What is not small must have found room.
  boost::asio::awaitable<bool> Respond(Response response);
  // The same with a body that all clients share; it outlives the connection. `response` has none.
  boost::asio::awaitable<bool> RespondShared(Response response, std::string_view body);
  // Events: the head of the answer, then each in one write, then the end.
  boost::asio::awaitable<bool> BeginEvents(const std::map<std::string, std::string>& headers);
  // ORDER: room first, for an event of the daemon's of `event_bytes`. False: none came free, and the
  // connection is over.
  boost::asio::awaitable<bool> WaitForEventRoom(size_t event_bytes);
  boost::asio::awaitable<bool> WriteEvents(std::string text);
  boost::asio::awaitable<bool> EndEvents();
  // A comment between events, where nothing is being written, so that proxies keep the connection and a
  // client that is gone is noticed. Never waits.
  void Heartbeat();

  // Whether another request may follow.
  bool keep_alive() const { return keep_alive_; }
  void Close() { keep_alive_ = false; }
  // Says that all is written, and reads for a moment what still comes, which a close would answer with a
  // reset that takes the answer away.
  boost::asio::awaitable<void> Linger();

  // Since when it has waited for the first byte of a request; nothing where it does not, or not any longer.
  std::optional<std::chrono::steady_clock::time_point> idle_since() const { return idle_since_; }
  // From outside: no further request is waited for; one that is being answered goes on.
  void StopWhenIdle();
  // The connection is over now.
  void Abort();

  boost::asio::ip::tcp::socket& socket() { return socket_; }
  size_t bytes_written() const { return bytes_written_; }

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  std::optional<Problem> ProblemOf(const boost::system::error_code& error) const;
  std::optional<Problem> ProblemOfFraming() const;
  boost::asio::awaitable<bool> Write(std::string text, std::string_view more = {},
                                     std::string_view shared = {});

  boost::asio::ip::tcp::socket socket_;
  const boost::asio::any_io_executor executor_;
  const HttpBounds& bounds_;
  ByteBudget::Share share_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Deadline deadline_;
  bool keep_alive_ = true;
  bool aborted_ = false;
  bool writing_ = false;
  bool chunked_ = false;
  std::optional<std::chrono::steady_clock::time_point> idle_since_;
  size_t bytes_written_ = 0;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_HTTP_CONNECTION_H_
