// Run by caissond as root, before its dispatcher. Input: the configuration, and what is on the paths it
// names.
#include "orchestrator/listener_sockets.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "common/files.h"
#include "common/status.h"
#include "ipc/codec.h"

namespace caisson::orchestrator {
namespace {

std::optional<uint32_t> AsNumber(const std::string& text) {
  uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  // The last one is "no user" to the kernel.
  return error == std::errc() && at == end && value != static_cast<uint32_t>(-1) ? std::optional(value)
                                                                                 : std::nullopt;
}

absl::StatusOr<uid_t> UserId(const std::string& user) {
  if (const auto number = AsNumber(user)) {
    return *number;
  }
  const passwd* entry = getpwnam(user.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  if (entry == nullptr) {
    return absl::FailedPreconditionError("user " + user + " does not exist");
  }
  return entry->pw_uid;
}

absl::StatusOr<gid_t> GroupId(const std::string& name) {
  if (const auto number = AsNumber(name)) {
    return *number;
  }
  const group* entry = getgrnam(name.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  if (entry == nullptr) {
    return absl::FailedPreconditionError("group " + name + " does not exist");
  }
  return entry->gr_gid;
}

// Whoever can rename in it could put a socket of theirs in the place of a tenant's.
absl::StatusOr<UniqueFd> OpenDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "make directory " + path);
  }
  ASSIGN_OR_RETURN(UniqueFd directory, OpenFile(path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  struct stat info {};
  if (fstat(directory.get(), &info) != 0) {
    return ErrnoStatus(errno, "stat directory " + path);
  }
  if (info.st_uid != 0 || (info.st_mode & 0022U) != 0) {
    return absl::FailedPreconditionError(
        "directory " + path + " must be root's and not writable by others: chown root, chmod go-w");
  }
  return directory;
}

// An address by way of the open directory: what was checked is what is used, and its length is no matter.
sockaddr_un AddressIn(const UniqueFd& directory, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + name;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

bool SomebodyListens(const sockaddr_un& address) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // EAGAIN: its queue is full, so there is one.
  return connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EAGAIN;
}

// Takes away what a dead predecessor left.
absl::Status MakeRoom(const UniqueFd& directory, const std::string& name, const sockaddr_un& address) {
  struct stat there {};
  if (fstatat(directory.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoStatus(errno, "stat");
  }
  if (!S_ISSOCK(there.st_mode)) {
    return absl::FailedPreconditionError("something that is no socket has this name");
  }
  if (SomebodyListens(address)) {
    return absl::FailedPreconditionError("is in use: another server listens on it");
  }
  return unlinkat(directory.get(), name.c_str(), 0) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "unlink");
}

}  // namespace

absl::StatusOr<ListenerSockets::Socket> ListenerSockets::OpenOne(const ListenerConfig& config) {
  const std::string path = config.socket.substr(config.socket.find('/'));
  const size_t slash = path.rfind('/');
  Socket made{ipc::Make<ipc::Listener>(), {}, path.substr(slash + 1), {}, 0, 0};
  ASSIGN_OR_RETURN(const uid_t owner, UserId(config.owner));
  ASSIGN_OR_RETURN(const gid_t group, GroupId(config.group));
  made.message.role = config.role;
  if (!ipc::SetText(made.message.tenant, config.tenant) ||
      !ipc::SetText(made.message.address, config.socket) || config.peer_users.size() > ipc::kMaxPeers) {
    return absl::InvalidArgumentError("is too long");  // ReadListeners has seen to it
  }
  for (const std::string& user : config.peer_users) {
    ASSIGN_OR_RETURN(made.message.peers.at(made.message.peer_count), UserId(user));
    ++made.message.peer_count;
  }
  ASSIGN_OR_RETURN(made.directory, OpenDirectory(path.substr(0, std::max<size_t>(slash, 1))));
  if (made.name.size() + sizeof "/proc/self/fd/1234567890/" > sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError("the socket's name is too long");
  }
  const sockaddr_un address = AddressIn(made.directory, made.name);
  RETURN_IF_ERROR(MakeRoom(made.directory, made.name, address));
  made.socket = UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.socket.valid()) {
    return ErrnoStatus(errno, "make a socket");
  }
  // ORDER: mode and owner before it listens, so nobody can connect under others. The umask gives the mode,
  // since there is no chmod that follows no link.
  const mode_t before = umask(~config.mode & 0777U);
  const int bound = bind(made.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  umask(before);
  if (bound != 0) {
    return ErrnoStatus(errno, "bind");
  }
  struct stat info {};
  if (fchownat(made.directory.get(), made.name.c_str(), owner, group, AT_SYMLINK_NOFOLLOW) != 0 ||
      fstatat(made.directory.get(), made.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoStatus(errno, "chown");
  }
  made.device = info.st_dev;
  made.inode = info.st_ino;
  if (listen(made.socket.get(), SOMAXCONN) != 0) {
    return ErrnoStatus(errno, "listen");
  }
  return made;
}

absl::StatusOr<std::unique_ptr<ListenerSockets>> ListenerSockets::Open(
    const std::vector<ListenerConfig>& listeners) {
  std::unique_ptr<ListenerSockets> opened(new ListenerSockets());
  for (const ListenerConfig& config : listeners) {
    absl::StatusOr<Socket> socket = OpenOne(config);
    if (!socket.ok()) {
      return absl::FailedPreconditionError("listener " + config.socket + ": " + Message(socket.status()));
    }
    opened->sockets_.push_back(*std::move(socket));
  }
  return opened;
}

ListenerSockets::~ListenerSockets() {
  for (const Socket& socket : sockets_) {
    struct stat info {};
    if (fstatat(socket.directory.get(), socket.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        info.st_dev == socket.device && info.st_ino == socket.inode) {
      unlinkat(socket.directory.get(), socket.name.c_str(), 0);
    }
  }
}

absl::StatusOr<std::vector<DispatcherLink::Handed>> ListenerSockets::ForDispatcher() const {
  std::vector<DispatcherLink::Handed> handed;
  for (const Socket& socket : sockets_) {
    UniqueFd copy(fcntl(socket.socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy.valid()) {
      return ErrnoStatus(errno, "duplicate a listener");
    }
    handed.push_back({socket.message, {}});
    handed.back().fds.push_back(std::move(copy));
  }
  return handed;
}

}  // namespace caisson::orchestrator
