// Where a door listens: "127.0.0.1:8080", "[::1]:0". The operator's word, from the command line. Pure.
#ifndef CAISSON_DOOR_LISTEN_ADDRESS_H_
#define CAISSON_DOOR_LISTEN_ADDRESS_H_

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace caisson::door {

// Who may reach it. Without TLS that is the loopback alone.
enum class Reach : uint8_t { kLoopback, kAnywhere };

// A number, never a name. An address beyond `reach` is refused.
absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseListenAddress(std::string_view text, Reach reach);

// "127.0.0.1:8080", "[::1]:8080".
std::string AddressText(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace caisson::door

#endif  // CAISSON_DOOR_LISTEN_ADDRESS_H_
