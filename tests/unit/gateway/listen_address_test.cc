// Only the loopback, only numbers.
#include "gateway/listen_address.h"

#include <gtest/gtest.h>

namespace caisson::gateway {
namespace {

TEST(ListenAddressTest, TheLoopbackIsTaken) {
  for (const char* text : {"127.0.0.1:0", "127.0.0.1:8080", "127.8.9.10:65535", "[::1]:80"}) {
    const auto address = ParseListenAddress(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(AddressText(*address), text);
  }
}

TEST(ListenAddressTest, EverythingElseIsRefused) {
  for (const char* text :
       {"0.0.0.0:80", "[::]:80", "192.168.0.1:80", "[::ffff:127.0.0.1]:80", "[fe80::1%lo]:80", "::1:80",
        "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8x", "localhost:80", "",
        ":80", "127.1:80", "[127.0.0.1]:80"}) {
    EXPECT_FALSE(ParseListenAddress(text).ok()) << text;
  }
}

}  // namespace
}  // namespace caisson::gateway
