#include "bench/idle.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "bench/work.h"
#include "common/status.h"

namespace caisson::bench {
namespace {

constexpr uint64_t kRunMemoryBytes = 16 * 1024 * 1024;
constexpr char kSleep[] = "/usr/bin/sleep";
constexpr char kDispatcherName[] = "caisson-dispatc";  // the kernel keeps 15 bytes of a name

std::string ProcPath(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// The number after "NAME:" in a file of /proc.
absl::StatusOr<int64_t> ReadField(pid_t pid, const std::string& file_name, const std::string& field) {
  std::ifstream file(ProcPath(pid, file_name));
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(field + ":", 0) == 0) {
      return std::stoll(line.substr(field.size() + 1));
    }
  }
  return absl::NotFoundError("read " + field + " in " + ProcPath(pid, file_name) +
                             ": not there (needs root)");
}

std::string NameOf(pid_t pid) {
  std::ifstream file(ProcPath(pid, "comm"));
  std::string name;
  std::getline(file, name);
  return name;
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(ProcPath(pid, "task"), error)) {
    std::ifstream file(task.path() / "children");
    for (pid_t child = 0; file >> child;) {
      children.push_back(child);
    }
  }
  return children;
}

absl::Status Add(pid_t pid, ProcessCost& cost) {
  ASSIGN_OR_RETURN(const int64_t rss_kib, ReadField(pid, "smaps_rollup", "Rss"));
  ASSIGN_OR_RETURN(const int64_t pss_kib, ReadField(pid, "smaps_rollup", "Pss"));
  ASSIGN_OR_RETURN(const int64_t threads, ReadField(pid, "status", "Threads"));
  ++cost.processes;
  cost.threads += static_cast<int>(threads);
  cost.rss_bytes += rss_kib * 1024;
  cost.pss_bytes += pss_kib * 1024;
  return absl::OkStatus();
}

absl::Status AddTree(pid_t pid, ProcessCost& cost) {
  RETURN_IF_ERROR(Add(pid, cost));
  for (const pid_t child : ChildrenOf(pid)) {
    RETURN_IF_ERROR(AddTree(child, cost));
  }
  return absl::OkStatus();
}

absl::StatusOr<DaemonCost> Look(pid_t daemon_pid) {
  DaemonCost cost;
  RETURN_IF_ERROR(Add(daemon_pid, cost.caissond));
  for (const pid_t child : ChildrenOf(daemon_pid)) {
    RETURN_IF_ERROR(AddTree(child, NameOf(child) == kDispatcherName ? cost.dispatcher : cost.sandboxes));
  }
  if (cost.dispatcher.processes != 1) {
    return absl::FailedPreconditionError("look at process " + std::to_string(daemon_pid) +
                                         ": it has not one caisson-dispatcher; --daemon-pid is caissond's");
  }
  return cost;
}

absl::StatusOr<v1::ExecuteRequest> SleepRequest(ExecuteClient& client) {
  ASSIGN_OR_RETURN(v1::ExecuteRequest request, NativeRequest(kSleep));
  request.add_args("infinity");
  request.mutable_limits()->set_memory_bytes(kRunMemoryBytes);
  ASSIGN_OR_RETURN(const v1::Profile profile, client.GetProfile(request.profile()));
  // As long as the profile lets it: the default could end the first run before the last one has started.
  request.mutable_limits()->set_wall_time_ms(profile.ceilings().wall_time_ms());
  return request;
}

}  // namespace

absl::StatusOr<IdleReport> MeasureIdle(ExecuteClient& client, pid_t daemon_pid, int runs) {
  IdleReport report;
  report.runs = runs;
  ASSIGN_OR_RETURN(const v1::ExecuteRequest request, SleepRequest(client));
  // A first run to its end, so that what the daemon allocates only once is not counted as cost of the N.
  v1::ExecuteRequest short_request = request;
  short_request.set_args(0, "0");
  RETURN_IF_ERROR(client.Execute(short_request).status());
  ASSIGN_OR_RETURN(report.before, Look(daemon_pid));
  std::vector<OpenRun> open;
  open.reserve(static_cast<size_t>(runs));
  for (int i = 0; i < runs; ++i) {
    open.push_back(client.Open(request));
    RETURN_IF_ERROR(Prefix(open.back().AwaitStarted(), "run " + std::to_string(i + 1)));
  }
  ASSIGN_OR_RETURN(report.during, Look(daemon_pid));
  for (OpenRun& run : open) {
    run.Cancel();
  }
  return report;
}

}  // namespace caisson::bench
