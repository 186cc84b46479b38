#include "cli/address.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "common/unique_fd.h"

namespace caisson::cli {
namespace {

TEST(AddressTest, FlagBeatsEnvironmentBeatsDefault) {
  EXPECT_EQ(ResolveAddress("unix:/a", "unix:/b").value(), "unix:/a");
  EXPECT_EQ(ResolveAddress("", "unix:/b").value(), "unix:/b");
  EXPECT_EQ(ResolveAddress("", "").value(), "unix:/run/caisson/caisson.sock");
  EXPECT_EQ(ResolveAddress("", nullptr).value(), "unix:/run/caisson/caisson.sock");
}

TEST(AddressTest, EverySpellingOfAnAbsolutePathIsTaken) {
  EXPECT_EQ(ResolveAddress("/tmp/a.sock", nullptr).value(), "unix:/tmp/a.sock");
  EXPECT_EQ(ResolveAddress("unix:///tmp/a.sock", nullptr).value(), "unix:/tmp/a.sock");
}

TEST(AddressTest, WhatIsNoUnixSocketIsRefused) {
  for (const char* address :
       {"localhost:50051", "tcp:1.2.3.4:5", "unix:", "unix:relative.sock", "relative.sock"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ResolveAddress(address, nullptr).status())) << address;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ResolveAddress("unix:/" + std::string(107, 'x'), nullptr).status()));
  EXPECT_TRUE(ResolveAddress("unix:/" + std::string(106, 'x'), nullptr).ok());
}

TEST(AddressTest, MissingSocketSaysToStartTheDaemon) {
  const std::string text = ExplainUnreachable("unix:/nonexistent/caisson.sock", false);
  EXPECT_NE(text.find("start it: sudo caissond"), std::string::npos) << text;
}

TEST(AddressTest, SocketThatNobodyListensOnSaysToStartTheDaemon) {
  std::string directory = "/tmp/caisson-address-test-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string path = directory + "/dead.sock";
  {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  const std::string start_it = "start it: sudo caissond (as a service: sudo systemctl start caissond)";
  EXPECT_EQ(ExplainUnreachable("unix:" + path, false), "no daemon listens on " + path + "; " + start_it);
  EXPECT_EQ(ExplainUnreachable("unix:" + path, true),
            "no daemon listens on " + path +
                "; a caissond runs: it may be starting its dispatcher anew (try again in a few seconds), or "
                "serve on another socket (--socket). If it is not yours, " +
                start_it);
  unlink(path.c_str());
  rmdir(directory.c_str());
}

}  // namespace
}  // namespace caisson::cli
