// Where the door listens: "0.0.0.0:8443", "[::]:0". The operator's word, from the command line. Pure.
#ifndef CAISSON_TLS_DOOR_LISTEN_ADDRESS_H_
#define CAISSON_TLS_DOOR_LISTEN_ADDRESS_H_

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace caisson::tls_door {

// A number, never a name.
absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseListenAddress(std::string_view text);

// "127.0.0.1:8443", "[::1]:8443".
std::string AddressText(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace caisson::tls_door

#endif  // CAISSON_TLS_DOOR_LISTEN_ADDRESS_H_
