// Where a door may be told to listen: numbers only, and without TLS the loopback only.
#include "door/listen_address.h"

#include <gtest/gtest.h>

namespace caisson::door {
namespace {

TEST(ListenAddressTest, TheLoopbackIsTaken) {
  for (const char* text : {"127.0.0.1:0", "127.0.0.1:8080", "127.8.9.10:65535", "[::1]:80"}) {
    const auto address = ParseListenAddress(text, Reach::kLoopback);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(AddressText(*address), text);
  }
}

TEST(ListenAddressTest, BeyondTheLoopbackAndWhatIsNoNumberIsRefused) {
  for (const char* text :
       {"0.0.0.0:80", "[::]:80", "192.168.0.1:80", "[::ffff:127.0.0.1]:80", "[fe80::1%lo]:80", "::1:80",
        "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8x", "localhost:80", "",
        ":80", "127.1:80", "[127.0.0.1]:80"}) {
    EXPECT_FALSE(ParseListenAddress(text, Reach::kLoopback).ok()) << text;
  }
}

TEST(ListenAddressTest, WithTlsEveryNumberIsTaken) {
  for (const char* text : {"0.0.0.0:8443", "192.0.2.1:1", "[::]:0", "[2001:db8::1]:65535"}) {
    const auto address = ParseListenAddress(text, Reach::kAnywhere);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(AddressText(*address), text);
  }
}

TEST(ListenAddressTest, WhatIsNoNumberIsRefusedAnywhere) {
  for (const char* text : {"", ":1", "localhost:1", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1",
                           "::1:1", "[1.2.3.4]:1", "[::1]", "0:1x", "example.org:443"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseListenAddress(text, Reach::kAnywhere).status())) << text;
  }
}

}  // namespace
}  // namespace caisson::door
