#include "dispatcher/server.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::dispatcher {
namespace {

TEST(ServerTest, OnlyAbsoluteUnixSocketsAreServed) {
  EXPECT_EQ(*SocketPath("unix:/run/caisson/caisson.sock"), "/run/caisson/caisson.sock");
  EXPECT_EQ(*SocketPath("unix:///run/caisson.sock"), "/run/caisson.sock");
  for (const std::string& address :
       {std::string("127.0.0.1:80"), std::string("localhost:80"), std::string("unix-abstract:x"),
        std::string("unix:relative"), std::string("unix:/dir/"), std::string("unix:"),
        "unix:/" + std::string(200, 'x'), std::string("")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(SocketPath(address).status())) << address;
  }
}

}  // namespace
}  // namespace caisson::dispatcher
