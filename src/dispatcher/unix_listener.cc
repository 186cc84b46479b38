#include "dispatcher/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "common/status.h"

namespace caisson::dispatcher {

absl::StatusOr<UniqueFd> ListenOn(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);  // SocketPath has checked its length
  struct stat there {};
  if (lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) {
    unlink(path.c_str());  // what a dead predecessor left; bind tells if this did not do
  }
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) {
    return ErrnoStatus(errno, "make a socket");
  }
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return ErrnoStatus(errno, "bind " + path);
  }
  if (listen(listener.get(), SOMAXCONN) != 0) {
    return ErrnoStatus(errno, "listen on " + path);
  }
  return listener;
}

}  // namespace caisson::dispatcher
