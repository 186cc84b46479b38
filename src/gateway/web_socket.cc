#include "gateway/web_socket.h"

#include <poll.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <utility>

#include "gateway/wait_for_room.h"

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

constexpr std::chrono::milliseconds kLookAgain{250};
// Pings, pongs between two looks; a client that needs more is a flood.
constexpr size_t kMostControlFrames = 256;
constexpr std::chrono::milliseconds kProbeTime{2'000};
constexpr size_t kFirstPieceBytes = size_t{4} << 10U;
constexpr size_t kPieceBytes = size_t{64} << 10U;

}  // namespace

WebSocket::WebSocket(HttpConnection& connection, const WebSocketBounds& bounds, ByteBudget& budget,
                     std::function<void()> on_gone)
    : connection_(connection),
      bounds_(bounds),
      share_(budget),
      sent_share_(budget),
      on_gone_(std::move(on_gone)),
      stream_(connection.socket()),
      calm_(connection.socket().get_executor()),
      beat_(std::make_shared<Beat>(*this, connection.socket().get_executor())),
      heard_(Clock::now()),
      pinged_(heard_) {
  stream_.text(true);
  stream_.control_callback([this](websocket::frame_type /*kind*/, boost::beast::string_view /*bytes*/) {
    heard_ = Clock::now();
    ++control_frames_;
  });
  Wait(beat_);
}

WebSocket::~WebSocket() {
  beat_->owner = nullptr;
  beat_->timer.cancel();
}

void WebSocket::Wait(const std::shared_ptr<Beat>& beat) {
  beat->timer.expires_after(kLookAgain);
  beat->timer.async_wait([beat](const boost::system::error_code& /*why*/) {
    if (beat->owner != nullptr) {
      beat->owner->Look();
      Wait(beat);
    }
  });
}

// A reset is seen at once. The mere end of the client's sending is the reader's to see, where one reads: its
// closing frame stands before it.
bool WebSocket::HungUp() const {
  const int events = reading_ ? 0 : POLLRDHUP;
  pollfd client{connection_.socket().native_handle(), static_cast<int16_t>(events), 0};
  return poll(&client, 1, 0) != 0;
}

bool WebSocket::IsOverdue(Clock::time_point now) const {
  return (write_began_ && now - *write_began_ > bounds_.write) ||
         (closing_began_ && now - *closing_began_ > bounds_.closing) ||
         (message_began_ && now - *message_began_ > bounds_.idle) ||
         (reading_ && now - heard_ > bounds_.idle);
}

void WebSocket::Look() {
  const Clock::time_point now = Clock::now();
  const bool flood = std::exchange(control_frames_, 0) > kMostControlFrames;
  // Beast has told the client off, or answers its closing frame, within Receive.
  if (accepted_ && reading_ && !closing_began_ && !stream_.is_open()) {
    closing_began_ = now;
    on_gone_();
  }
  if (aborted_ || flood || IsOverdue(now) || (!closing_began_ && HungUp())) {
    // Again and again: an operation of several parts may be between two of them.
    Abort();
    on_gone_();
  } else if (accepted_ && !closing_began_ && !pinging_ && now - pinged_ > PingTime(now)) {
    pinged_ = now;
    Ping();
  }
}

// While the client sends, its end may stand behind much that is not read yet. A ping to a client that is gone
// is answered by a reset.
std::chrono::milliseconds WebSocket::PingTime(Clock::time_point now) const {
  const bool sends =
      !reading_ || now - heard_ < kProbeTime / 2;  // half: a pong is not to bring the next ping
  return sends ? std::min(bounds_.idle / 3, kProbeTime) : bounds_.idle / 3;
}

void WebSocket::Ping() {
  pinging_ = true;
  stream_.async_ping({}, [this](const boost::system::error_code& /*why*/) {
    pinging_ = false;
    Settle();
  });
}

void WebSocket::Abort() {
  aborted_ = true;
  connection_.Abort();
}

void WebSocket::Settle() {
  if (closing_began_ && !reading_ && !pinging_) {
    calm_.Set();
  }
}

asio::awaitable<bool> WebSocket::Accept(const std::map<std::string, std::string>& headers) {
  stream_.set_option(websocket::stream_base::decorator([headers](websocket::response_type& response) {
    response.set(boost::beast::http::field::server, "caisson-gateway");  // else Beast's version
    for (const auto& [name, value] : headers) {
      response.set(name, value);
    }
  }));
  connection_.Close();
  boost::system::error_code error;
  write_began_ = Clock::now();
  co_await stream_.async_accept(connection_.request(), asio::redirect_error(asio::use_awaitable, error));
  write_began_.reset();
  accepted_ = !error && !aborted_;
  co_return accepted_;
}

asio::awaitable<bool> WebSocket::Receive(size_t most, WebSocketMessage& message,
                                         std::optional<Problem>& refused) {
  boost::system::error_code error;
  stream_.read_message_max(most);
  heard_ = Clock::now();
  reading_ = true;
  do {
    const size_t had = message.bytes.size();
    const size_t piece = had == 0 ? kFirstPieceBytes : kPieceBytes;
    message.bytes.resize(had + piece);
    const size_t read = co_await stream_.async_read_some(asio::buffer(&message.bytes[had], piece),
                                                         asio::redirect_error(asio::use_awaitable, error));
    message.bytes.resize(had + read);
    heard_ = Clock::now();
    // Counted as it comes, not as its frame announces it.
    if (!error && !share_.Hold(message.bytes.size())) {
      refused = Refuse(Refusal::kBusy, "other clients' messages take all the room there is");
      refused->retry_after_ms = 1'000;
    }
    if (!message_began_) {
      message_began_ = heard_;
    }
  } while (!error && !refused && !stream_.is_message_done());
  message_began_.reset();
  message.is_text = stream_.got_text();
  reading_ = false;
  Settle();
  co_return !error && !refused && !aborted_;
}

void WebSocket::Drop(WebSocketMessage& message) {
  if (message.bytes.capacity() > kPieceBytes) {
    std::string().swap(message.bytes);
  }
  message.bytes.clear();
}

void WebSocket::Forget(WebSocketMessage& message) {
  Drop(message);
  static_cast<void>(share_.Hold(0));
}

asio::awaitable<bool> WebSocket::WaitForEventRoom(size_t event_bytes) {
  const boost::asio::any_io_executor executor = stream_.get_executor();
  const bool room = co_await WaitForRoom(executor, sent_share_, event_bytes, bounds_.write, aborted_);
  if (room) {
    co_return true;
  }
  Abort();
  co_return false;
}

asio::awaitable<bool> WebSocket::Send(std::string text) {
  boost::system::error_code error;
  write_began_ = Clock::now();
  co_await stream_.async_write(asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
  write_began_.reset();
  static_cast<void>(sent_share_.Hold(0));
  co_return !error && !aborted_;
}

asio::awaitable<void> WebSocket::Close(uint16_t code, std::string reason) {
  closing_began_ = Clock::now();
  if (accepted_ && !aborted_ && stream_.is_open()) {
    boost::system::error_code ignored;
    const websocket::close_reason why(static_cast<websocket::close_code>(code), reason);
    co_await stream_.async_close(why, asio::redirect_error(asio::use_awaitable, ignored));
  }
  Settle();
  co_await calm_.Wait();
}

void WebSocket::Hurry() { bounds_.write = std::min(bounds_.write, bounds_.closing); }

}  // namespace caisson::gateway
