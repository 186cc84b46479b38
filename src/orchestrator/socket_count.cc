#include "orchestrator/socket_count.h"

#include <optional>
#include <string>

#include "common/files.h"
#include "common/status.h"
#include "orchestrator/proc_text.h"

namespace caisson::orchestrator {

absl::StatusOr<pid_t> PidOf(int pidfd) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("/proc/self/fdinfo/" + std::to_string(pidfd)));
  const std::optional<std::string_view> field = StatusField(text, "Pid");
  const std::optional<uint64_t> pid = field ? ParseNumber(*field, 10) : std::nullopt;
  if (!pid || *pid == 0 || *pid > INT32_MAX) {
    return absl::FailedPreconditionError("the descriptor is of no living process");
  }
  return static_cast<pid_t>(*pid);
}

absl::StatusOr<uint64_t> ParseSocketsUsed(std::string_view sockstat) {
  constexpr std::string_view kStart = "sockets: used ";
  const std::string_view line = TakeLine(sockstat);
  const std::optional<uint64_t> used =
      line.starts_with(kStart) ? ParseNumber(line.substr(kStart.size()), 10) : std::nullopt;
  if (!used) {
    return absl::FailedPreconditionError("net/sockstat does not say how many sockets are used");
  }
  return *used;
}

absl::StatusOr<uint64_t> CountSockets(pid_t process) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("/proc/" + std::to_string(process) + "/net/sockstat"));
  return ParseSocketsUsed(text);
}

}  // namespace caisson::orchestrator
