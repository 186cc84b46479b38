#include "tls_door/door.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "tls_door/tenant_name.h"

namespace caisson::tls_door {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

// What clients do must not fill the log.
constexpr std::chrono::seconds kTellEvery{5};
// Before the next try, where descriptors or memory ran out.
constexpr std::chrono::milliseconds kPause{100};

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
  if (guests_.size() >= bounds_.connections) {
    return Tell("there are too many connections");
  }
  if (CountOf(Stage::kHandshake) >= std::max<size_t>(1, bounds_.connections / 4)) {
    return Tell("there are too many handshakes at once");
  }
  const asio::ip::address address = peer.address();
  if (const auto here = per_address_.find(address);
      here != per_address_.end() && here->second >= bounds_.connections_per_address) {
    return Tell("its address has too many connections");
  }
  client.set_option(asio::ip::tcp::no_delay(true), error);
  ++per_address_[address];
  const uint64_t number = next_++;
  auto session = std::make_shared<Session>(
      std::move(client), context_, bounds_.times,
      [this, number](const X509* shown) { return Dial(number, shown); },
      [this, number, address](const std::string& reason) {
        if (!reason.empty()) {
          Tell(reason);
        }
        if (const auto here = per_address_.find(address); --here->second == 0) {
          per_address_.erase(here);
        }
        const auto guest = guests_.find(number);
        --CountOf(guest->second.stage);
        guests_.erase(guest);
      });
  guests_.emplace(number, Guest{session});
  ++CountOf(Stage::kHandshake);
  session->Start();
}

void Door::Enter(Guest& guest, Stage stage) {
  --CountOf(guest.stage);
  guest.stage = stage;
  ++CountOf(stage);
}

absl::StatusOr<UniqueFd> Door::Dial(uint64_t guest, const X509* certificate) {
  size_t number = 0;
  if (certificate == nullptr) {
    if (!destinations_.tokens.has_value()) {
      return absl::InvalidArgumentError("it showed no certificate");
    }
    if (CountOf(Stage::kWithoutCertificate) >= std::max<size_t>(1, bounds_.connections / 2)) {
      return absl::ResourceExhaustedError("there are too many connections without a certificate");
    }
    Enter(guests_.at(guest), Stage::kWithoutCertificate);
    number = *destinations_.tokens;
  } else {
    // Never to the tokens' socket: a certificate that names nobody is not the same as none.
    ASSIGN_OR_RETURN(const std::string tenant, TenantOf(*certificate));
    const auto found = destinations_.tenants.find(tenant);
    if (found == destinations_.tenants.end()) {
      return absl::InvalidArgumentError("its certificate names a tenant that is not served here");
    }
    Enter(guests_.at(guest), Stage::kWithCertificate);
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
  while (!guests_.empty()) {
    // By a copy: it takes itself off the list.
    const std::shared_ptr<Session> session = guests_.begin()->second.session;
    session->End("");
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
