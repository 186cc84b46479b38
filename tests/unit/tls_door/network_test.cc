// Which addresses are counted as one.
#include "tls_door/network.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::tls_door {
namespace {

std::string Of(const std::string& address) {
  return NetworkOf(boost::asio::ip::make_address(address)).to_string();
}

TEST(NetworkTest, AddressesOfOneSixtyFourAreOne) {
  EXPECT_EQ(Of("2001:db8:1:2::"), "2001:db8:1:2::");
  EXPECT_EQ(Of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
  EXPECT_EQ(Of("2001:db8:1:2:ffff:ffff:ffff:ffff"), "2001:db8:1:2::");
  EXPECT_EQ(Of("2001:db8:1:3::1"), "2001:db8:1:3::");
}

TEST(NetworkTest, AddressesOfIPv4AreEachTheirOwn) {
  EXPECT_EQ(Of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Of("192.0.2.2"), "192.0.2.2");
  // As a listener of both kinds has them. As IPv6 all of them would be in one /64.
  EXPECT_EQ(Of("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Of("::ffff:192.0.2.2"), "192.0.2.2");
}

TEST(NetworkTest, LinkLocalAddressesOfTwoInterfacesAreTwo) {
  EXPECT_EQ(Of("fe80::1%1"), Of("fe80::2%1"));
  EXPECT_NE(Of("fe80::1%1"), Of("fe80::1%2"));
}

}  // namespace
}  // namespace caisson::tls_door
