#include "gateway/http_connection.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <utility>

#include "gateway/wait_for_room.h"

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr size_t kBufferBytes = size_t{64} << 10U;
// What the kernel keeps of events that a client has not read: beyond it our writes wait, and their time runs.
constexpr int kSendBufferBytes = 128 << 10U;
constexpr size_t kLingerBytes = size_t{1} << 20U;

const char* ReasonPhrase(unsigned status) {
  const auto known = http::int_to_status(status);
  return known == http::status::unknown ? "Client Closed Request" : http::obsolete_reason(known).data();
}

std::string HeadText(unsigned status, const std::map<std::string, std::string>& headers) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + ReasonPhrase(status) + "\r\n";
  for (const auto& [name, value] : headers) {
    text += name + ": " + value + "\r\n";
  }
  return text + "\r\n";
}

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, const HttpBounds& bounds, ByteBudget& budget)
    : socket_(std::move(socket)),
      executor_(socket_.get_executor()),
      bounds_(bounds),
      share_(budget),
      buffer_(kBufferBytes),
      deadline_(socket_) {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
}

std::optional<Problem> HttpConnection::ProblemOf(const boost::system::error_code& error) const {
  if (deadline_.expired()) {
    return Refuse(Refusal::kRequestTimeout, "the request was not complete in time");
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Refuse(Refusal::kHeadersTooLarge,
                  "the head has more than " + std::to_string(bounds_.head_bytes) + " bytes");
  }
  if (error == http::error::body_limit) {
    return Refuse(Refusal::kBodyTooLarge,
                  "the body has more than " + std::to_string(bounds_.body_bytes) + " bytes");
  }
  const bool of_http = error.category() == make_error_code(http::error::bad_method).category();
  if (!of_http || error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;  // the client is gone
  }
  return Refuse(Refusal::kMalformedHttp, error.message());
}

// Whoever stands before us must see the same end of a request as we do.
std::optional<Problem> HttpConnection::ProblemOfFraming() const {
  const RequestHeader& head = parser_->get();
  const size_t codings = head.count(http::field::transfer_encoding);
  if (codings == 0) {
    return std::nullopt;
  }
  if (codings > 1 || !boost::beast::iequals(head[http::field::transfer_encoding], "chunked") ||
      head.version() < 11 || head.count(http::field::content_length) != 0) {
    return Refuse(Refusal::kMalformedHttp,
                  "Transfer-Encoding must be chunked, once, with HTTP/1.1 and without Content-Length");
  }
  return std::nullopt;
}

asio::awaitable<bool> HttpConnection::ReadHead(std::optional<Problem>& refused) {
  boost::system::error_code error;
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(bounds_.head_bytes));
  parser_->body_limit(bounds_.body_bytes);
  if (buffer_.size() == 0) {
    idle_since_ = std::chrono::steady_clock::now();
    deadline_.Arm(bounds_.idle);
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_read,
                                asio::redirect_error(asio::use_awaitable, error));
    idle_since_.reset();
    deadline_.Disarm();
    if (error || deadline_.expired() || !keep_alive_) {
      co_return false;
    }
  }
  deadline_.Arm(bounds_.head);
  co_await http::async_read_header(socket_, buffer_, *parser_,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    refused = ProblemOf(error);
  } else {
    refused = ProblemOfFraming();
  }
  deadline_.Disarm();
  if (error || refused) {
    keep_alive_ = false;
    co_return false;
  }
  keep_alive_ = keep_alive_ && parser_->get().keep_alive();
  chunked_ = parser_->get().version() >= 11;
  co_return true;
}

bool HttpConnection::has_body() const {
  return parser_->chunked() || parser_->content_length().value_or(0) > 0;
}

asio::awaitable<bool> HttpConnection::ReadBody(std::optional<Problem>& refused) {
  boost::system::error_code error;
  if (parser_->get()[http::field::expect] == "100-continue" && chunked_) {
    std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!co_await Write(std::move(go_on))) {
      co_return false;
    }
  }
  const auto headers = std::distance(head().begin(), head().end());
  deadline_.Arm(bounds_.body);
  while (!error && !parser_->is_done()) {
    co_await http::async_read_some(socket_, buffer_, *parser_,
                                   asio::redirect_error(asio::use_awaitable, error));
    // Counted as it comes, not as it is announced: an announcement costs a client nothing.
    if (!error && !share_.Hold(parser_->get().body().size())) {
      refused = Refuse(Refusal::kBusy, "other requests' bodies take all the room there is");
      refused->retry_after_ms = 1'000;
      break;
    }
    if (deadline_.expired() && !parser_->is_done()) {
      error = asio::error::operation_aborted;
    }
  }
  if (error) {
    refused = ProblemOf(error);
  } else if (!refused && std::distance(head().begin(), head().end()) != headers) {
    // They would stand among those that were looked at before the body came.
    refused = Refuse(Refusal::kMalformedHttp, "there must be no headers behind the body");
  }
  deadline_.Disarm();
  if (error || refused) {
    keep_alive_ = false;
    co_return false;
  }
  co_return true;
}

void HttpConnection::DropBody() {
  if (parser_) {
    std::string().swap(parser_->get().body());
  }
}

void HttpConnection::ReleaseBody() { static_cast<void>(share_.Hold(0)); }

bool HttpConnection::HasRoomFor(size_t bytes) {
  DropBody();
  ReleaseBody();
  return share_.Hold(bytes);
}

asio::awaitable<bool> HttpConnection::Write(std::string text, std::string_view more,
                                            std::string_view shared) {
  boost::system::error_code error;
  bytes_written_ += text.size() + more.size() + shared.size();
  writing_ = true;
  deadline_.Arm(bounds_.write);
  const std::array<asio::const_buffer, 3> pieces = {asio::buffer(text), asio::buffer(more),
                                                    asio::buffer(shared)};
  co_await asio::async_write(socket_, pieces, asio::redirect_error(asio::use_awaitable, error));
  deadline_.Disarm();
  writing_ = false;
  if (error || deadline_.expired()) {
    Abort();
    co_return false;
  }
  co_return true;
}

asio::awaitable<bool> HttpConnection::Respond(Response response) {
  co_return co_await RespondShared(std::move(response), {});
}

asio::awaitable<bool> HttpConnection::RespondShared(Response response, std::string_view body) {
  DropBody();
  if (!share_.Hold(response.body.size())) {
    ReleaseBody();  // a problem: small
  }
  response.headers.emplace("Content-Type", response.content_type);
  response.headers["Content-Length"] = std::to_string(response.body.size() + body.size());
  response.headers["Connection"] = keep_alive_ ? "keep-alive" : "close";
  if (response.headers.contains("Upgrade")) {
    response.headers["Connection"] += ", Upgrade";
  }
  if (response.status == 204) {
    response.headers.erase("Content-Length");
    response.headers.erase("Content-Type");
  }
  std::string text = HeadText(response.status, response.headers);
  const bool head_only = parser_ && head().method() == http::verb::head;
  const std::string_view own = head_only ? std::string_view() : response.body;
  const bool written = co_await Write(std::move(text), own, head_only ? std::string_view() : body);
  ReleaseBody();
  co_return written;
}

asio::awaitable<bool> HttpConnection::BeginEvents(const std::map<std::string, std::string>& headers) {
  ReleaseBody();
  std::map<std::string, std::string> all = headers;
  all["Content-Type"] = "text/event-stream";
  all["X-Accel-Buffering"] = "no";  // nginx would hold events back
  if (chunked_) {
    all["Transfer-Encoding"] = "chunked";
  } else {
    keep_alive_ = false;
  }
  all["Connection"] = keep_alive_ ? "keep-alive" : "close";
  std::string text = HeadText(200, all);
  co_return co_await Write(std::move(text));
}

asio::awaitable<bool> HttpConnection::WaitForEventRoom(size_t event_bytes) {
  const bool room = co_await WaitForRoom(executor_, share_, event_bytes, bounds_.write, aborted_);
  if (room) {
    co_return true;
  }
  Abort();
  co_return false;
}

asio::awaitable<bool> HttpConnection::WriteEvents(std::string text) {
  bool written = false;
  if (chunked_) {
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
    std::string head = size.data();
    written = co_await Write(std::move(head), text, "\r\n");
  } else {
    written = co_await Write(std::move(text));
  }
  ReleaseBody();
  co_return written;
}

asio::awaitable<bool> HttpConnection::EndEvents() {
  if (!chunked_) {
    co_return true;
  }
  std::string last = "0\r\n\r\n";
  co_return co_await Write(std::move(last));
}

void HttpConnection::Heartbeat() {
  if (writing_) {
    return;
  }
  const std::string_view beat = chunked_ ? "3\r\n:\n\n\r\n" : ":\n\n";
  const ssize_t sent = send(socket_.native_handle(), beat.data(), beat.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;  // it has events to read yet
  }
  if (sent != static_cast<ssize_t>(beat.size())) {
    Abort();
  }
}

asio::awaitable<void> HttpConnection::Linger() {
  if (aborted_) {
    co_return;
  }
  boost::system::error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  std::array<char, 4'096> waste{};
  size_t read = 0;
  deadline_.Arm(bounds_.linger);
  while (!error && !deadline_.expired() && read < kLingerBytes) {
    read += co_await socket_.async_read_some(asio::buffer(waste),
                                             asio::redirect_error(asio::use_awaitable, error));
  }
  deadline_.Disarm();
}

void HttpConnection::StopWhenIdle() {
  keep_alive_ = false;
  if (idle_since_) {
    idle_since_.reset();
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }
}

void HttpConnection::Abort() {
  keep_alive_ = false;
  aborted_ = true;
  boost::system::error_code ignored;
  // What was written and not read is thrown away with the close: behind the full window of a client that does
  // not read, neither it nor the end would ever arrive, and the kernel would keep both. Not by set_option:
  // Asio takes back what it knows of before it closes.
  const linger none{.l_onoff = 1, .l_linger = 0};
  static_cast<void>(setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &none, sizeof none));
  socket_.shutdown(asio::ip::tcp::socket::shutdown_receive, ignored);
  socket_.cancel(ignored);
}

}  // namespace caisson::gateway
