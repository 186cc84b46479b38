// Where the gateway listens: "127.0.0.1:8080", "[::1]:0". The operator's word, from the command line. Pure.
#ifndef CAISSON_GATEWAY_LISTEN_ADDRESS_H_
#define CAISSON_GATEWAY_LISTEN_ADDRESS_H_

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace caisson::gateway {

// A number, never a name, and of the loopback: there is no TLS, so every other address is refused.
absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseListenAddress(std::string_view text);

// "127.0.0.1:8080", "[::1]:8080".
std::string AddressText(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_LISTEN_ADDRESS_H_
