#include "orchestrator/socket_count.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "common/unique_fd.h"
#include "orchestrator/host_probes.h"
#include "privileged_support.h"

namespace caisson::orchestrator {
namespace {

TEST(ParseSocketsUsedTest, TakesTheFirstLine) {
  const auto used =
      ParseSocketsUsed("sockets: used 166888\nTCP: inuse 165812 orphan 2968 tw 1024 alloc 1 mem 2\n");
  ASSERT_TRUE(used.ok());
  EXPECT_EQ(*used, 166'888U);
}

TEST(ParseSocketsUsedTest, AnythingElseIsAnError) {
  for (const char* text : {"", "sockets: used \n", "sockets: used -1\n", "sockets: used 1 2\n",
                           "TCP: inuse 1\n", "sockets: used 99999999999999999999\n"}) {
    EXPECT_FALSE(ParseSocketsUsed(text).ok()) << text;
  }
}

TEST(PidOfTest, IsThatOfALivingProcess) {
  const UniqueFd own(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  EXPECT_EQ(PidOf(own.get()).value(), getpid());
  EXPECT_FALSE(PidOf(STDIN_FILENO).ok()) << "not a pidfd";
  EXPECT_FALSE(PidOf(-1).ok());
}

TEST(PidOfTest, AReapedProcessHasNone) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(0);
  }
  const UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(PidOf(fd.get()).ok());
  EXPECT_FALSE(CountSockets(child).ok());
}

// Listens, connects and closes the client's end: what waits to be accepted has no descriptor and counts.
absl::Status CountWhatWaits() {
  if (unshare(CLONE_NEWNET) != 0) {
    return absl::InternalError("unshare");
  }
  const UniqueFd server(socket(AF_INET, SOCK_STREAM, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  request.ifr_flags = IFF_UP;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  if (ioctl(server.get(), SIOCSIFFLAGS, &request) != 0 || bind(server.get(), generic, length) != 0 ||
      listen(server.get(), 8) != 0 || getsockname(server.get(), generic, &length) != 0) {
    return absl::InternalError("listen");
  }
  for (uint64_t made = 0; made < 5; ++made) {
    UniqueFd client(socket(AF_INET, SOCK_STREAM, 0));
    if (connect(client.get(), generic, length) != 0) {
      return absl::InternalError("connect");
    }
    client.reset();
    // The client's end is there until the server's has answered.
    const uint64_t expected = 2 + made;
    if (!Eventually([expected] { return CountSockets(getpid()).value() == expected; })) {
      return absl::InternalError("counted " + std::to_string(CountSockets(getpid()).value()));
    }
  }
  return absl::OkStatus();
}

TEST(CountSocketsTest, ConnectionsThatNobodyAcceptedCount) {
  CAISSON_NEEDS_ROOT();
  const absl::Status status = InChild(CountWhatWaits);
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace caisson::orchestrator
