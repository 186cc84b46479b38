// Accepts clients, bounds how many there are, and decides which of the daemon's sockets each one gets. On the
// door's one thread.
#ifndef CAISSON_TLS_DOOR_DOOR_H_
#define CAISSON_TLS_DOOR_DOOR_H_

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "door/connector.h"
#include "tls_door/session.h"

namespace caisson::tls_door {

// Who has shown nothing yet, or shows tokens, does not keep out who has a certificate: a quarter of the
// connections may be in their handshake, half may be without a certificate.
struct DoorBounds {
  size_t connections = 1'024;
  size_t connections_per_address = 128;
  SessionTimes times;
};

// Numbers of the connector's sockets.
struct Destinations {
  std::map<std::string, size_t> tenants;
  std::optional<size_t> tokens;  // of clients without a certificate
};

class Door {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;

  // `on_lost`: the connector is gone.
  Door(boost::asio::ip::tcp::acceptor acceptor, door::Connector connector, Destinations destinations,
       Context context, const DoorBounds& bounds, std::function<void()> on_lost);
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  void Start() { Accept(); }
  // For the connections that come from now on.
  void SetContext(Context context) { context_ = std::move(context); }
  // Nobody new; who is here is cut off.
  void Stop();

 private:
  void Accept();
  enum class Stage : uint8_t { kHandshake, kWithoutCertificate, kWithCertificate };
  struct Guest {
    std::shared_ptr<Session> session;
    Stage stage = Stage::kHandshake;
  };

  void Admit(boost::asio::ip::tcp::socket client);
  absl::StatusOr<UniqueFd> Dial(uint64_t guest, const X509* certificate);
  void Enter(Guest& guest, Stage stage);
  size_t& CountOf(Stage stage) { return per_stage_.at(static_cast<size_t>(stage)); }
  void Tell(const std::string& reason);

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  door::Connector connector_;
  const Destinations destinations_;
  Context context_;
  const DoorBounds bounds_;
  const std::function<void()> on_lost_;
  std::unordered_map<uint64_t, Guest> guests_;
  std::array<size_t, 3> per_stage_{};
  std::map<boost::asio::ip::address, size_t> per_address_;
  uint64_t next_ = 0;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point told_;
  uint64_t untold_ = 0;
};

}  // namespace caisson::tls_door

#endif  // CAISSON_TLS_DOOR_DOOR_H_
