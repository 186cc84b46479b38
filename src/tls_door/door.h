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
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "door/connector.h"
#include "tls_door/session.h"

namespace caisson::tls_door {

// Who has shown nothing yet, or shows tokens, does not keep out who has a certificate: a quarter of the
// connections may be in their handshake, half may be without a certificate. Nor does who is silent keep out
// who is not: where a part is full, one of it makes room for the newcomer.
struct DoorBounds {
  size_t connections = 1'024;
  size_t connections_per_address = 128;  // as NetworkOf has addresses
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
  template <typename Value>
  using PerStage = std::array<Value, 3>;
  // How many guests each network has.
  using Networks = std::map<boost::asio::ip::address, PerStage<size_t>>;
  struct Guest {
    std::shared_ptr<Session> session;
    Networks::iterator network;
    Stage stage = Stage::kHandshake;
  };
  using Guests = std::list<Guest>;

  void Admit(boost::asio::ip::tcp::socket client);
  void Receive(boost::asio::ip::tcp::socket client, const boost::asio::ip::address& network);
  absl::StatusOr<UniqueFd> Dial(Guests::iterator guest, const X509* certificate);
  void Enter(Guests::iterator guest, Stage stage);
  void Leave(Guests::iterator guest);
  // Ends one guest of `stage`, if there is one: of the network that has most there, or of `network` alone,
  // who has been silent for longest.
  bool MakeRoom(Stage stage, const boost::asio::ip::address* network, const std::string& reason);
  Guests& GuestsIn(Stage stage) { return guests_.at(static_cast<size_t>(stage)); }
  static size_t& CountOf(const Guest& guest) {
    return guest.network->second.at(static_cast<size_t>(guest.stage));
  }
  void Tell(const std::string& reason);

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  door::Connector connector_;
  const Destinations destinations_;
  Context context_;
  const DoorBounds bounds_;
  const std::function<void()> on_lost_;
  Networks networks_;
  PerStage<Guests> guests_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point told_;
  uint64_t untold_ = 0;
};

}  // namespace caisson::tls_door

#endif  // CAISSON_TLS_DOOR_DOOR_H_
