#include "cli/address.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "common/files.h"
#include "common/unique_fd.h"

namespace caisson::cli {
namespace {

constexpr std::string_view kUnixScheme = "unix:";
constexpr size_t kMaxNameBytes = 64;
constexpr char kStartIt[] = "start it: sudo caissond (as a service: sudo systemctl start caissond)";

// The errno of a connect, or 0.
int TryConnect(const std::string& path) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) {
    return errno;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  // SAFETY: the sockets API takes every address family through sockaddr.
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
}

}  // namespace

absl::StatusOr<std::string> ResolveAddress(const std::string& flag, const char* environment) {
  std::string address = flag;
  if (address.empty() && environment != nullptr) {
    address = environment;
  }
  if (address.empty()) {
    address = kDefaultAddress;
  }
  std::string path =
      address.compare(0, kUnixScheme.size(), kUnixScheme) == 0 ? address.substr(kUnixScheme.size()) : address;
  if (path.compare(0, 3, "///") == 0) {  // unix:///path is gRPC's other spelling
    path.erase(0, 2);
  }
  if (path.empty() || path.front() != '/') {
    return absl::InvalidArgumentError(
        "socket address '" + address +
        "': Caisson listens on Unix sockets; give unix:/PATH or an absolute path");
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError("socket address '" + address + "': the path is longer than " +
                                      std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  }
  return std::string(kUnixScheme) + path;
}

bool CaissondRuns() {
  std::error_code error;
  for (std::filesystem::directory_iterator process("/proc", error), end; !error && process != end;
       process.increment(error)) {
    const absl::StatusOr<std::string> name = ReadFile(process->path().string() + "/comm", kMaxNameBytes);
    if (name.ok() && *name == "caissond\n") {
      return true;
    }
  }
  return false;
}

bool MayAnswer(const std::string& address) {
  const int error = TryConnect(address.substr(kUnixScheme.size()));
  return error == 0 || error == EAGAIN || error == ECONNREFUSED;
}

std::string ExplainUnreachable(const std::string& address, bool caissond_runs) {
  const std::string advice =
      (caissond_runs
           ? "a caissond runs: it may be starting its dispatcher anew (try again in a few seconds), or "
             "serve on another socket (--socket). If it is not yours, "
           : "") +
      std::string(kStartIt);
  const std::string path = address.substr(kUnixScheme.size());
  switch (const int error = TryConnect(path)) {
    case 0:
    case EAGAIN:
      return "the daemon on " + path + " does not answer; see its log: journalctl -u caissond";
    case ENOENT:
    case ENOTDIR:
      return "no daemon: " + path + " does not exist; " + advice;
    case ECONNREFUSED:
      return "no daemon listens on " + path + "; " + advice;
    case EACCES:
    case EPERM:
      return "permission denied on " + path +
             "; join the group caisson: sudo usermod -aG caisson \"$USER\", then log in again";
    default:
      return "cannot reach the daemon on " + path + ": " + std::strerror(error);
  }
}

}  // namespace caisson::cli
