// The door's filter as data: the calls by which something else could be reached.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <vector>

#include "common/status.h"
#include "common/unique_fd.h"
#include "door/filter_probe.h"
#include "tls_door/lockdown.h"

namespace caisson::tls_door {
namespace {

using door::Answer;
using door::kRefused;
using door::Program;

TEST(TlsLockdownTest, TheDoorMakesNoConnectionAndNoSocket) {
  const auto program = Program(WriteDoorFilter);
  for (const long number : {SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_sendmmsg,
                            SYS_kill, SYS_open, SYS_unlink, SYS_pidfd_open, SYS_memfd_create, SYS_clone}) {
    EXPECT_EQ(Answer(program, number), kRefused) << number;
  }
  for (const long number :
       {SYS_execve, SYS_execveat, SYS_fork, SYS_ptrace, SYS_io_uring_setup, SYS_pidfd_getfd, SYS_setns}) {
    EXPECT_EQ(Answer(program, number), SECCOMP_RET_KILL_PROCESS) << number;
  }
  for (const long number : {SYS_accept, SYS_read, SYS_recvfrom, SYS_futex}) {
    EXPECT_EQ(Answer(program, number), SECCOMP_RET_ALLOW) << number;
  }
}

TEST(TlsLockdownTest, NothingIsSentToAnAddress) {
  const auto program = Program(WriteDoorFilter);
  EXPECT_EQ(Answer(program, SYS_sendto, {9, 1, 1, MSG_NOSIGNAL, 0, 0}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(program, SYS_sendto, {9, 1, 1, 0, 0x7fff0000, 16}), kRefused);
  EXPECT_EQ(Answer(program, SYS_sendto, {9, 1, 1, MSG_FASTOPEN, 0, 0}), kRefused);
  EXPECT_EQ(Answer(program, SYS_sendmsg, {9, 1, MSG_NOSIGNAL}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(program, SYS_sendmsg, {9, 1, MSG_FASTOPEN}), kRefused);
}

TEST(TlsLockdownTest, NoProtocolIsLoadedAndNoCodeMade) {
  const auto program = Program(WriteDoorFilter);
  EXPECT_EQ(Answer(program, SYS_setsockopt, {9, IPPROTO_TCP, TCP_NODELAY}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(program, SYS_setsockopt, {9, IPPROTO_TCP, TCP_ULP}), kRefused);
  EXPECT_EQ(Answer(program, SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC}), kRefused);
  EXPECT_EQ(Answer(program, SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}), kRefused);
}

int RunLocked(const std::function<int()>& body) {
  char directory[] = "/tmp/caisson-tls-lockdown-XXXXXX";
  EXPECT_NE(mkdtemp(directory), nullptr);
  const UniqueFd certificates(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const int code =
      door::RunLocked([&] { return LockFiles(certificates.get()).ok() && LoadDoorFilter().ok(); }, body);
  EXPECT_EQ(rmdir(directory), 0);
  return code;
}

TEST(TlsLockdownTest, FromInsideNothingIsReached) {
  EXPECT_EQ(RunLocked([] { return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0; }), EPERM);
  EXPECT_EQ(RunLocked([] { return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0; }), EPERM);
  EXPECT_EQ(RunLocked([] { return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0; }), EACCES);
  EXPECT_EQ(RunLocked([] { return open("/proc/self/mem", O_RDONLY) < 0 ? errno : 0; }), EACCES);
  EXPECT_EQ(RunLocked([] { return kill(getppid(), 0) < 0 ? errno : 0; }), EPERM);
  EXPECT_EQ(RunLocked([] { return execl("/bin/true", "true", nullptr) < 0 ? errno : 0; }), -SIGSYS);
  EXPECT_EQ(RunLocked([] { return setuid(0) < 0 ? errno : 0; }), -SIGSYS);
}

TEST(TlsLockdownTest, AListenerIsNoWayOut) {
  // Shut down, it would connect with MSG_FASTOPEN.
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  EXPECT_EQ(RunLocked([&] {
              shutdown(listener.get(), SHUT_RDWR);
              sockaddr_in there = address;
              there.sin_port = htons(9);
              const ssize_t sent = sendto(listener.get(), "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
                                          reinterpret_cast<const sockaddr*>(&there), sizeof there);
              return sent < 0 ? errno : 0;
            }),
            EPERM);
}

}  // namespace
}  // namespace caisson::tls_door
