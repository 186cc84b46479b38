#include "door/connector.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "common/packet_socket.h"
#include "common/status.h"
#include "lockdown/filter_builder.h"
#include "lockdown/landlock.h"
#include "lockdown/unprivileged.h"

namespace caisson::door {
namespace {

using lockdown::Equal;
using lockdown::FilterBuilder;

constexpr int kControlFd = 3;
constexpr int kAnswerTimeoutMs = 5'000;

void AddRules(FilterBuilder& filter) {
  filter.Allow({"close", "connect", "poll", "recvmsg", "sendmsg", "brk", "exit_group", "getpid", "gettid",
                "madvise", "mremap", "munmap", "restart_syscall", "rt_sigprocmask", "rt_sigreturn",
                "tgkill"});
  filter.Rule(SCMP_ACT_ALLOW, "socket", {Equal(0, AF_UNIX)});
  filter.AllowMemory();
  filter.KillHostile();
}

absl::Status LockDown() {
  RETURN_IF_ERROR(lockdown::BecomeUnprivileged("root must not run the connector"));
  RETURN_IF_ERROR(lockdown::RestrictSelf({}));
  FilterBuilder filter;
  AddRules(filter);
  return filter.Load();
}

// The errno of the connect, 0 with a descriptor.
int ConnectTo(const sockaddr_un& address, UniqueFd& connection) {
  connection = UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // SAFETY: the sockets API takes every address family through sockaddr.
  if (!connection.valid() ||
      connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return errno;
  }
  return 0;
}

// Until the door's end is closed.
int Serve(const std::vector<sockaddr_un>& addresses) {
  while (true) {
    pollfd waiting{kControlFd, POLLIN, 0};
    if (poll(&waiting, 1, -1) < 0 && errno != EINTR) {
      return EXIT_FAILURE;
    }
    const absl::StatusOr<Packet> order = ReceivePacket(kControlFd);
    if (absl::IsUnavailable(order.status())) {
      continue;
    }
    if (!order.ok()) {
      return absl::IsAborted(order.status()) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (order->bytes.size() != 1 || std::to_integer<size_t>(order->bytes[0]) >= addresses.size()) {
      return EXIT_FAILURE;
    }
    UniqueFd connection;
    const int error = ConnectTo(addresses[std::to_integer<size_t>(order->bytes[0])], connection);
    std::array<std::byte, sizeof error> bytes{};
    std::memcpy(bytes.data(), &error, sizeof error);
    const int fd = connection.get();
    const absl::Status sent =
        error == 0 ? SendPacket(kControlFd, bytes, std::span(&fd, 1)) : SendPacket(kControlFd, bytes);
    if (!sent.ok()) {
      return EXIT_FAILURE;
    }
  }
}

[[noreturn]] void RunChild(UniqueFd control, const std::vector<sockaddr_un>& addresses, pid_t parent) {
  // The terminal's signals are the door's business; this ends with it.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    signal(number, SIG_IGN);
  }
  const bool ready = dup2(control.get(), kControlFd) == kControlFd &&
                     close_range(kControlFd + 1, ~0U, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
                     getppid() == parent && prctl(PR_SET_NAME, "caisson-connect") == 0;
  static_cast<void>(control.release());
  if (!ready || !LockDown().ok()) {
    _exit(EXIT_FAILURE);
  }
  _exit(Serve(addresses));
}

}  // namespace

absl::StatusOr<Connector> Connector::Start(const std::vector<std::string>& paths) {
  if (paths.size() > kMostSockets) {
    return absl::InvalidArgumentError("start the connector: there are more than " +
                                      std::to_string(kMostSockets) + " sockets");
  }
  std::vector<sockaddr_un> addresses;
  for (const std::string& path : paths) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
      return absl::InvalidArgumentError("start the connector: the path of a socket is too long");
    }
    path.copy(address.sun_path, path.size());
    addresses.push_back(address);
  }
  ASSIGN_OR_RETURN(auto ends, MakePacketSocketPair());
  // Above the place that the child puts it in, so that dup2 takes nothing away from it.
  UniqueFd theirs(fcntl(ends.second.get(), F_DUPFD_CLOEXEC, kControlFd + 1));
  if (!theirs.valid()) {
    return ErrnoStatus(errno, "duplicate the connector's end");
  }
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    return ErrnoStatus(errno, "fork the connector");
  }
  if (child == 0) {
    RunChild(std::move(theirs), addresses, parent);
  }
  return Connector(std::move(ends.first));
}

absl::StatusOr<UniqueFd> Connector::Connect(size_t number) {
  const std::array<std::byte, 1> order{static_cast<std::byte>(number)};
  if (!SendPacket(control_.get(), order).ok()) {
    return absl::AbortedError("ask the connector: it is gone");
  }
  pollfd waiting{control_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, kAnswerTimeoutMs);
  } while (ready < 0 && errno == EINTR);
  if (ready != 1) {
    return absl::AbortedError("wait for the connector: it does not answer");
  }
  absl::StatusOr<Packet> answer = ReceivePacket(control_.get());
  if (!answer.ok()) {
    return absl::AbortedError("wait for the connector: it is gone");
  }
  int error = 0;
  if (answer->bytes.size() != sizeof error) {
    return absl::AbortedError("wait for the connector: its answer is none");
  }
  std::memcpy(&error, answer->bytes.data(), sizeof error);
  if (error != 0) {
    return absl::UnavailableError(std::string(ToStd(ErrnoStatus(error, "connect to the daemon").message())));
  }
  if (answer->fds.size() != 1) {
    return absl::AbortedError("wait for the connector: its answer has no connection");
  }
  return std::move(answer->fds.front());
}

absl::Status WriteConnectorFilter(int fd) {
  FilterBuilder filter;
  AddRules(filter);
  return filter.Write(fd);
}

}  // namespace caisson::door
