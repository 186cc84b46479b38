#include "door/listen_address.h"

#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace caisson::door {
namespace {

absl::Status Refuse(std::string_view text, const char* reason) {
  return absl::InvalidArgumentError("listen on '" + std::string(text) + "': " + reason);
}

}  // namespace

absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseListenAddress(std::string_view text, Reach reach) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Refuse(text, "give ADDRESS:PORT, for example 127.0.0.1:8080");
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc() || end != port_text.data() + port_text.size() || port_text.empty()) {
    return Refuse(text, "the port must be a number from 0 to 65535");
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(std::string(host), failed);
  if (failed || address.is_v6() != bracketed) {
    return Refuse(text, "the address must be a number, such as 127.0.0.1 or [::1]");
  }
  if (reach == Reach::kLoopback && !address.is_loopback()) {
    return Refuse(text,
                  "only the loopback is served (127.0.0.1, [::1]): there is no TLS here. Put a reverse proxy "
                  "with TLS and authentication in front of it");
  }
  return boost::asio::ip::tcp::endpoint(address, port);
}

std::string AddressText(const boost::asio::ip::tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

}  // namespace caisson::door
