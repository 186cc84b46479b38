// As what an address is counted: a site has one address of IPv4, and of IPv6 as many as it likes. Pure.
#ifndef CAISSON_TLS_DOOR_NETWORK_H_
#define CAISSON_TLS_DOOR_NETWORK_H_

#include <boost/asio/ip/address.hpp>

namespace caisson::tls_door {

// An address of IPv4, also where it comes as one of IPv6 (::ffff:192.0.2.1), is itself. Of IPv6 it is the
// first address of its /64.
boost::asio::ip::address NetworkOf(const boost::asio::ip::address& address);

}  // namespace caisson::tls_door

#endif  // CAISSON_TLS_DOOR_NETWORK_H_
