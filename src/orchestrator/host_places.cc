// Run by caissond at start, as root. Input: the configuration.
#include "orchestrator/host_places.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <initializer_list>

#include "common/status.h"
#include "common/unique_fd.h"

namespace caisson::orchestrator {
namespace {

absl::StatusOr<std::string> FindBesideProgram(std::initializer_list<const char*> candidates,
                                              const char* what) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string tried;
  for (const char* candidate : candidates) {
    const std::filesystem::path path = (program.parent_path() / candidate).lexically_normal();
    if (std::filesystem::exists(path, error)) {
      return path.string();
    }
    tried += (tried.empty() ? "" : ", ") + path.string();
  }
  return absl::FailedPreconditionError(std::string("find ") + what + ": not at " + tried);
}

bool SomebodyListens(const std::string& path) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

absl::StatusOr<User> FindUser(const std::string& name) {
  const passwd* entry = getpwnam(name.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  if (entry == nullptr) {
    return absl::FailedPreconditionError("user " + name +
                                         " does not exist: make it with \"useradd --system " +
                                         "--no-create-home --shell /usr/sbin/nologin " + name + "\"");
  }
  if (entry->pw_uid == 0 || entry->pw_gid == 0) {
    return absl::FailedPreconditionError("user " + name +
                                         " is root: the dispatcher needs an unprivileged user");
  }
  return User{entry->pw_uid, entry->pw_gid};
}

absl::StatusOr<std::string> FindDispatcher() {
  return FindBesideProgram({"caisson-dispatcher", "../libexec/caisson/caisson-dispatcher"},
                           "caisson-dispatcher");
}

absl::StatusOr<std::string> FindProfiles() {
  return FindBesideProgram({"../../profiles", "../share/caisson/profiles"}, "the profiles");
}

absl::Status PrepareSocketDirectory(const std::string& address, const User& user) {
  constexpr char kScheme[] = "unix:/";
  if (address.rfind(kScheme, 0) != 0) {
    return absl::InvalidArgumentError("socket " + address +
                                      ": must be unix: and an absolute path; there is no other listener");
  }
  const std::string path = address.substr(std::strlen("unix:"));
  if (path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return absl::InvalidArgumentError("socket " + address + ": the path is too long for a Unix socket");
  }
  const std::string directory = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
  if (mkdir(directory.c_str(), 0755) == 0) {
    if (chown(directory.c_str(), user.uid, user.gid) != 0) {
      return ErrnoStatus(errno, "chown " + directory);
    }
  } else if (errno != EEXIST) {
    return ErrnoStatus(errno, "make socket directory " + directory);
  }
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "stat socket directory " + directory);
  }
  const bool writable = (info.st_uid == user.uid && (info.st_mode & 0300U) == 0300U) ||
                        (info.st_gid == user.gid && (info.st_mode & 0030U) == 0030U) ||
                        (info.st_mode & 0003U) == 0003U;
  if (!S_ISDIR(info.st_mode) || !writable) {
    return absl::FailedPreconditionError(
        "socket directory " + directory +
        ": the dispatcher's user may not make a socket there; chown it, or choose "
        "another --socket");
  }
  if (SomebodyListens(path)) {
    return absl::FailedPreconditionError("socket " + path + " is in use: another server listens on it");
  }
  return absl::OkStatus();
}

absl::Status PrepareRecordsDirectory(const std::string& directory, const User& user) {
  const std::string parent = directory.substr(0, std::max<size_t>(directory.rfind('/'), 1));
  if (mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "make " + parent);
  }
  const bool made = mkdir(directory.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) {
    return ErrnoStatus(errno, "make records directory " + directory);
  }
  // SAFETY: only the last component could be somebody else's, and as a link it is not followed.
  const UniqueFd opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!opened.valid() || fstat(opened.get(), &info) != 0) {
    return ErrnoStatus(errno, "open records directory " + directory);
  }
  if (made) {
    return fchown(opened.get(), user.uid, user.gid) == 0
               ? absl::OkStatus()
               : ErrnoStatus(errno, "chown records directory " + directory);
  }
  if (info.st_uid != user.uid || (info.st_mode & 0077U) != 0 || (info.st_mode & 0700U) != 0700U) {
    return absl::FailedPreconditionError("records directory " + directory +
                                         ": must be the dispatcher's user's alone; make it so with \"chown " +
                                         std::to_string(user.uid) + ":" + std::to_string(user.gid) + " " +
                                         directory + " && chmod 700 " + directory + "\"");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> EnterPrivateMounts(const std::string& state_dir) {
  if (unshare(CLONE_NEWNS) != 0) {
    return ErrnoStatus(errno, "unshare the mount namespace");
  }
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return ErrnoStatus(errno, "make all mounts private");
  }
  const std::string staging = state_dir + "/root";
  if (mkdir(staging.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "make " + staging);
  }
  return staging;
}

}  // namespace caisson::orchestrator
