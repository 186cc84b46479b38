#include "tls_door/network.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>

namespace caisson::tls_door {

namespace ip = boost::asio::ip;

ip::address NetworkOf(const ip::address& address) {
  if (!address.is_v6()) {
    return address;
  }
  const ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, v6);
  }
  ip::address_v6::bytes_type bytes = v6.to_bytes();
  std::fill(bytes.begin() + bytes.size() / 2, bytes.end(), 0);
  return ip::address_v6(bytes, v6.scope_id());
}

}  // namespace caisson::tls_door
