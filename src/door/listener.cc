#include "door/listener.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "common/status.h"
#include "door/listen_address.h"

namespace caisson::door {

absl::StatusOr<UniqueFd> Listen(const boost::asio::ip::tcp::endpoint& at) {
  UniqueFd listener(socket(at.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!listener.valid() || setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(listener.get(), at.data(), static_cast<socklen_t>(at.size())) != 0 ||
      listen(listener.get(), SOMAXCONN) != 0) {
    const int reason = errno;  // ORDER: Asio sets it to 0 where the text is made
    return ErrnoStatus(reason, "listen on " + AddressText(at));
  }
  return listener;
}

absl::Status RaiseDescriptorLimit(size_t connections, size_t needed) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ErrnoStatus(errno, "getrlimit");
  }
  if (limit.rlim_max < needed) {
    return absl::FailedPreconditionError("the descriptor limit of " + std::to_string(limit.rlim_max) +
                                         " is too low for " + std::to_string(connections) +
                                         " connections; raise it or give --max-connections");
  }
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "setrlimit");
}

}  // namespace caisson::door
