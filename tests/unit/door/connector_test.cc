// The connector's filter as data: the calls by which something else could be reached.
#include "door/connector.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "door/filter_probe.h"

namespace caisson::door {
namespace {

TEST(ConnectorTest, ItConnectsUnixSocketsAndDoesNothingElse) {
  const auto program = Program(WriteConnectorFilter);
  EXPECT_EQ(Answer(program, SYS_socket, {AF_UNIX}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(program, SYS_socket, {AF_INET}), kRefused);
  for (const long number :
       {SYS_openat, SYS_read, SYS_write, SYS_clone, SYS_accept4, SYS_bind, SYS_listen, SYS_kill}) {
    EXPECT_EQ(Answer(program, number), kRefused) << number;
  }
}

}  // namespace
}  // namespace caisson::door
