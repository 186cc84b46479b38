#include "tls_door/door.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/status.h"
#include "tls_door/network.h"
#include "tls_door/tenant_name.h"

namespace caisson::tls_door {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

// What clients do must not fill the log.
constexpr std::chrono::seconds kTellEvery{5};
// Before the next try, where descriptors or memory ran out.
constexpr std::chrono::milliseconds kPause{100};

constexpr char kAllIsFull[] = "there are too many connections";
constexpr char kHandshakesAreFull[] = "there are too many handshakes at once";
constexpr char kAddressIsFull[] = "its address has too many connections";

template <typename Counts>
size_t Sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), size_t{0});
}

}  // namespace

Door::Door(asio::ip::tcp::acceptor acceptor, door::Connector connector, Destinations destinations,
           Context context, const DoorBounds& bounds, std::function<void()> on_lost)
    : acceptor_(std::move(acceptor)),
      pause_(acceptor_.get_executor()),
      connector_(std::move(connector)),
      destinations_(std::move(destinations)),
      context_(std::move(context)),
      bounds_(bounds),
      on_lost_(std::move(on_lost)) {}

void Door::Accept() {
  acceptor_.async_accept([this](const Error& error, asio::ip::tcp::socket client) {
    if (stopping_) {
      return;
    }
    if (!error) {
      Admit(std::move(client));
      return Accept();
    }
    if (error == asio::error::connection_aborted) {
      return Accept();
    }
    Tell("no descriptor or memory for a new connection");
    pause_.expires_after(kPause);
    pause_.async_wait([this](const Error& canceled) {
      if (!canceled && !stopping_) {
        Accept();
      }
    });
  });
}

void Door::Admit(asio::ip::tcp::socket client) {
  Error error;
  const asio::ip::tcp::endpoint peer = client.remote_endpoint(error);
  if (error) {
    return;  // it is gone
  }
  const asio::ip::address network = NetworkOf(peer.address());
  const auto here = networks_.find(network);
  if (here != networks_.end() && Sum(here->second) >= bounds_.connections_per_address &&
      !MakeRoom(Stage::kHandshake, &network, kAddressIsFull)) {
    return Tell(kAddressIsFull);
  }
  size_t all = 0;
  for (const Guests& guests : guests_) {
    all += guests.size();
  }
  const size_t most = std::max<size_t>(1, bounds_.connections / 4);
  const char* const full = all >= bounds_.connections                   ? kAllIsFull
                           : GuestsIn(Stage::kHandshake).size() >= most ? kHandshakesAreFull
                                                                        : nullptr;
  if (full != nullptr && !MakeRoom(Stage::kHandshake, nullptr, full)) {
    return Tell(full);
  }
  client.set_option(asio::ip::tcp::no_delay(true), error);
  Receive(std::move(client), network);
}

void Door::Receive(asio::ip::tcp::socket client, const asio::ip::address& network) {
  Guests& guests = GuestsIn(Stage::kHandshake);
  const auto guest = guests.insert(guests.end(), Guest{nullptr, networks_.try_emplace(network).first});
  ++CountOf(*guest);
  guest->session = std::make_shared<Session>(
      std::move(client), context_, bounds_.times,
      [this, guest](const X509* shown) { return Dial(guest, shown); },
      [this, guest](const std::string& reason) {
        if (!reason.empty()) {
          Tell(reason);
        }
        Leave(guest);
      });
  // By a copy: it may end in there, and takes itself off the list.
  const std::shared_ptr<Session> session = guest->session;
  session->Start();
}

void Door::Enter(Guests::iterator guest, Stage stage) {
  Guests& to = GuestsIn(stage);
  to.splice(to.end(), GuestsIn(guest->stage), guest);
  --CountOf(*guest);
  guest->stage = stage;
  ++CountOf(*guest);
}

void Door::Leave(Guests::iterator guest) {
  --CountOf(*guest);
  if (Sum(guest->network->second) == 0) {
    networks_.erase(guest->network);
  }
  GuestsIn(guest->stage).erase(guest);
}

bool Door::MakeRoom(Stage stage, const asio::ip::address* network, const std::string& reason) {
  const Guest* chosen = nullptr;
  for (const Guest& guest : GuestsIn(stage)) {
    if (network != nullptr && guest.network->first != *network) {
      continue;
    }
    // By network first: who comes again and again, from few, pushes out their own and nobody else's.
    if (chosen == nullptr || CountOf(guest) > CountOf(*chosen) ||
        (CountOf(guest) == CountOf(*chosen) && guest.session->moved() < chosen->session->moved())) {
      chosen = &guest;
    }
  }
  if (chosen == nullptr) {
    return false;
  }
  // By a copy: it takes itself off the list.
  const std::shared_ptr<Session> session = chosen->session;
  session->End(reason + "; it made room for another");
  return true;
}

absl::StatusOr<UniqueFd> Door::Dial(Guests::iterator guest, const X509* certificate) {
  size_t number = 0;
  if (certificate == nullptr) {
    if (!destinations_.tokens.has_value()) {
      return absl::InvalidArgumentError("it showed no certificate");
    }
    // Whether it has a token, only its calls will show, and not to us.
    if (GuestsIn(Stage::kWithoutCertificate).size() >= std::max<size_t>(1, bounds_.connections / 2)) {
      // There is one, since the part is full.
      static_cast<void>(MakeRoom(Stage::kWithoutCertificate, nullptr,
                                 "there are too many connections without a certificate"));
    }
    Enter(guest, Stage::kWithoutCertificate);
    number = *destinations_.tokens;
  } else {
    // Never to the tokens' socket: a certificate that names nobody is not the same as none.
    ASSIGN_OR_RETURN(const std::string tenant, TenantOf(*certificate));
    const auto found = destinations_.tenants.find(tenant);
    if (found == destinations_.tenants.end()) {
      return absl::InvalidArgumentError("its certificate names a tenant that is not served here");
    }
    Enter(guest, Stage::kWithCertificate);
    number = found->second;
  }
  absl::StatusOr<UniqueFd> connection = connector_.Connect(number);
  if (absl::IsAborted(connection.status())) {
    on_lost_();
  }
  return connection;
}

void Door::Stop() {
  stopping_ = true;
  Error ignored;
  acceptor_.close(ignored);
  pause_.cancel(ignored);
  for (Guests& guests : guests_) {
    while (!guests.empty()) {
      // By a copy: it takes itself off the list.
      const std::shared_ptr<Session> session = guests.front().session;
      session->End("");
    }
  }
}

void Door::Tell(const std::string& reason) {
  const auto now = std::chrono::steady_clock::now();
  if (told_ != std::chrono::steady_clock::time_point() && now < told_ + kTellEvery) {
    ++untold_;
    return;
  }
  told_ = now;
  spdlog::warn("a client's connection was refused or ended: {} ({} more since the last such line)", reason,
               std::exchange(untold_, 0));
}

}  // namespace caisson::tls_door
