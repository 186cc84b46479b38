// The network `loopback`, in a child with a network namespace of its own.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "common/files.h"
#include "common/status.h"
#include "orchestrator/host_probes.h"
#include "orchestrator/socket_count.h"
#include "sandbox/loopback_settings.h"

namespace caisson::orchestrator {
namespace {

absl::Status Must(long result, const char* what) {
  return result < 0 ? ErrnoStatus(errno, what) : absl::OkStatus();
}

absl::Status Set(const sandbox::LoopbackSetting& setting) {
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenFile(setting.path, O_WRONLY));
  return Must(write(fd.get(), setting.value, std::strlen(setting.value)), setting.path);
}

absl::Status RaiseInterface() {
  const UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  RETURN_IF_ERROR(Must(fd.get(), "socket"));
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  request.ifr_flags = IFF_UP;
  return Must(ioctl(fd.get(), SIOCSIFFLAGS, &request), "bring lo up");
}

// One connection of the process with itself, counted.
absl::Status Connect() {
  const UniqueFd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  RETURN_IF_ERROR(Must(std::min(server.get(), client.get()), "socket"));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  RETURN_IF_ERROR(Must(bind(server.get(), generic, length), "bind to 127.0.0.1"));
  RETURN_IF_ERROR(Must(listen(server.get(), 1), "listen"));
  RETURN_IF_ERROR(Must(getsockname(server.get(), generic, &length), "getsockname"));
  RETURN_IF_ERROR(Must(connect(client.get(), generic, length), "connect to 127.0.0.1"));
  // The server, the client, and what the kernel made for the server, which has no descriptor yet.
  constexpr uint64_t kThree = 3;
  ASSIGN_OR_RETURN(const uint64_t counted, CountSockets(getpid()));
  return counted == kThree ? absl::OkStatus()
                           : absl::FailedPreconditionError("the kernel counts " + std::to_string(counted) +
                                                           " sockets where there are three");
}

absl::Status UseLoopback() {
  RETURN_IF_ERROR(Must(unshare(CLONE_NEWNET), "unshare network namespace"));
  for (const sandbox::LoopbackSetting& setting : sandbox::kLoopbackSettings) {
    RETURN_IF_ERROR(Set(setting));
  }
  RETURN_IF_ERROR(RaiseInterface());
  return Connect();
}

}  // namespace

std::vector<CheckResult> ProbeNetwork() {
  CheckResult result = FromStatus(
      "loopback", InChild(UseLoopback), "a network namespace connected with itself",
      "profiles with the network loopback are refused until caissond has CAP_NET_ADMIN and a writable "
      "/proc/sys/net");
  // Nothing else needs it.
  result.state = result.state == CheckState::kFail ? CheckState::kWarn : result.state;
  return {result};
}

}  // namespace caisson::orchestrator
