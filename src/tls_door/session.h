// One client's connection: the handshake, then bytes from TLS to one of the daemon's sockets and back, a
// buffer each way and nothing beyond it. The bytes are not looked at. On the door's one thread. Untrusted:
// all that the client sends, its certificate included.
#ifndef CAISSON_TLS_DOOR_SESSION_H_
#define CAISSON_TLS_DOOR_SESSION_H_

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::tls_door {

struct SessionTimes {
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds idle{600'000};  // without a byte either way
  std::chrono::milliseconds write{60'000};  // that a peer may leave what it is sent unread
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // A connection to the daemon for who has shown `certificate` (null: none), or why there is none for it.
  using Dial = std::function<absl::StatusOr<UniqueFd>(const X509* certificate)>;
  // Called once, when the connection is over; `reason` is empty where it just ended.
  using OnEnd = std::function<void(const std::string& reason)>;

  Session(boost::asio::ip::tcp::socket client, std::shared_ptr<boost::asio::ssl::context> context,
          const SessionTimes& times, Dial dial, OnEnd on_end);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start();
  // Both connections, now.
  void End(const std::string& reason);
  // When a byte was last brought, either way; until the handshake is over, when that began.
  std::chrono::steady_clock::time_point moved() const { return std::max(up_.moved, down_.moved); }

 private:
  static constexpr size_t kBufferBytes = size_t{32} << 10U;
  using Error = boost::system::error_code;
  // One way of the two. What was read is written before more is read.
  struct Way {
    std::array<char, kBufferBytes> buffer{};
    std::chrono::steady_clock::time_point moved;
    bool writing = false;
  };

  void OnHandshake(const Error& error);
  void Watch(std::chrono::milliseconds time);
  void FromClient();
  void FromDaemon();
  void CloseTls();

  const std::shared_ptr<boost::asio::ssl::context> context_;  // before the stream, which uses it
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> client_;
  boost::asio::local::stream_protocol::socket daemon_;
  boost::asio::steady_timer timer_;
  const SessionTimes times_;
  Dial dial_;
  OnEnd on_end_;
  Way up_;
  Way down_;
  bool ended_ = false;
};

}  // namespace caisson::tls_door

#endif  // CAISSON_TLS_DOOR_SESSION_H_
