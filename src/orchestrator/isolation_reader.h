// Reads, from outside, which isolation is in force on the locked stub that still waits:
// /proc/PID/{status,ns,uid_map,mountinfo,net}. Run by caissond as root; everything read is made by the
// kernel.
#ifndef CAISSON_ORCHESTRATOR_ISOLATION_READER_H_
#define CAISSON_ORCHESTRATOR_ISOLATION_READER_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipc/messages.h"
#include "policy/profile.h"

namespace caisson::orchestrator {

// Pure parsers of the kernel's text; kInvalidArgument when a field is missing or malformed.
absl::Status ParseProcStatus(std::string_view text, ipc::IsolationReport& report);
// uid_map_inside becomes 0, which CheckIsolation refuses, if any line of the map reaches uid 0 inside or on
// the host.
absl::Status ParseUidMap(std::string_view text, uint32_t payload_host_uid, ipc::IsolationReport& report);
// `image`: the device of the image that the profile's root is, if it is one. root is kImage if every mount
// that Caisson does not make itself is of that device, else kHost.
absl::Status ParseMountInfo(std::string_view text, std::optional<dev_t> image, ipc::IsolationReport& report);
// Counts the interfaces besides lo. net/dev does not say whether lo is up; net/fib_trie and net/if_inet6 do:
// they are empty until an interface is up, and then show its addresses. Both add to what is in the report.
absl::Status ParseNetDev(std::string_view text, ipc::IsolationReport& report);
void ParseFibTrie(std::string_view text, ipc::IsolationReport& report);
void ParseIfInet6(std::string_view text, ipc::IsolationReport& report);
// init's pid as PPid says, and whether a status is that of a pid namespace's first process.
absl::StatusOr<pid_t> ParseParentPid(std::string_view status);
bool IsNamespaceInit(std::string_view status);

// What all runs of a plan begin with, and none may be in.
struct PlansOwn {
  std::optional<dev_t> image = std::nullopt;  // the device of the image that is its root, if one is
  ino_t root_template = 0;  // the mount namespace of which each run must have a copy; 0: unknown
};

// Fills every field whose source is the kernel and that /proc knows (not the cgroup fields). It must be the
// waiting stub, a child of the run's init: that is where init_host_uid is read. An error if the stub dies
// meanwhile. `init`, if given, gets what init's own status tells: ids, capabilities, no_new_privs, filter.
absl::StatusOr<ipc::IsolationReport> ReadIsolation(pid_t stub, const PlansOwn& plans_own = {},
                                                   ipc::IsolationReport* init = nullptr);

// What every sandbox of every profile must show before anything untrusted may run: kFailedPrecondition naming
// the first field that does not hold. `network` is the profile's: lo is down or it is up, and nothing else
// is there either way.
struct ExpectedIsolation {
  uint32_t payload_host_uid = 0;  // given to this run's payload
  policy::NetworkMode network = policy::NetworkMode::kNone;
  ipc::RootKind root = ipc::RootKind::kHost;
};
absl::Status CheckIsolation(const ipc::IsolationReport& report, const ExpectedIsolation& expected);

// What init must show once it has said that its sandbox is ready, in every build: two capabilities in the
// run's own user namespace, no_new_privs, a filter. kFailedPrecondition as above.
absl::Status CheckInit(const ipc::IsolationReport& init);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_ISOLATION_READER_H_
