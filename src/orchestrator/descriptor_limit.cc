#include "orchestrator/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "ipc/descriptor_use.h"
#include "ipc/messages.h"
#include "orchestrator/dispatcher_link.h"

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kOwn =
    128;  // libraries, log, locks, cgroup directories, what one build holds for a moment
// init's pidfd and control socket, the OOM event, cpu.stat, its bundle that is to be closed, and that of one
// that was refused.
constexpr uint64_t kOfOneSandbox = 6;

}  // namespace

uint64_t DescriptorsNeeded(const DescriptorUsers& users) {
  const uint64_t sandboxes = MostSandboxes(static_cast<uint32_t>(users.max_runs)) + users.ready_sandboxes;
  // Every answer may wait for a dispatcher that is slow to read, with the pipes it carries.
  const uint64_t supervisor = kOwn + users.steps + sandboxes * (kOfOneSandbox + ipc::kPreparedFds);
  const uint64_t dispatcher = ipc::DispatcherFdsForRuns(users.max_runs, users.queue_length) +
                              ipc::kFewestConnections * ipc::kFdsOfOneConnection;
  return std::max({supervisor, dispatcher, users.most_open_files});
}

absl::Status EnsureDescriptors(uint64_t needed, uint64_t max_runs) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::FailedPreconditionError("read the descriptor limit: " +
                                         std::generic_category().message(errno));
  }
  const rlim_t hard = limit.rlim_max;
  limit.rlim_max = std::max<rlim_t>(hard, needed);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::FailedPreconditionError(
        "max_runs " + std::to_string(max_runs) + " needs " + std::to_string(needed) +
        " descriptors, and the hard limit is " + std::to_string(hard) + " (" +
        std::generic_category().message(errno) +
        "): lower max_runs, or raise it (LimitNOFILE= of the unit, sysctl fs.nr_open)");
  }
  return absl::OkStatus();
}

}  // namespace caisson::orchestrator
