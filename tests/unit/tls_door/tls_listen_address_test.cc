// Where the door may be told to listen.
#include <gtest/gtest.h>

#include <string>

#include "common/status.h"
#include "tls_door/listen_address.h"

namespace caisson::tls_door {
namespace {

TEST(TlsListenAddressTest, NumbersAreTaken) {
  for (const std::string text : {"0.0.0.0:8443", "192.0.2.1:1", "[::]:0", "[2001:db8::1]:65535"}) {
    const auto endpoint = ParseListenAddress(text);
    ASSERT_TRUE(endpoint.ok()) << Message(endpoint.status());
    EXPECT_EQ(AddressText(*endpoint), text);
  }
}

TEST(TlsListenAddressTest, EverythingElseIsRefused) {
  for (const char* text : {"", ":1", "localhost:1", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1",
                           "::1:1", "[1.2.3.4]:1", "[::1]", "0:1x", "example.org:443"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseListenAddress(text).status())) << text;
  }
}

}  // namespace
}  // namespace caisson::tls_door
