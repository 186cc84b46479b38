// Small operations on cgroup directories and files, always relative to a directory descriptor and by names of
// ours. Run by caissond as root.
#ifndef CAISSON_ORCHESTRATOR_CGROUP_IO_H_
#define CAISSON_ORCHESTRATOR_CGROUP_IO_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::orchestrator {

// mkdir; a directory that is already there is kAlreadyExists, so a used cgroup is never taken over.
absl::Status MakeCgroup(int parent, const std::string& name);
// rmdir; one that is already gone is OK. kUnavailable while the kernel holds it busy.
absl::Status RemoveCgroup(int parent, const std::string& name);
absl::StatusOr<UniqueFd> OpenCgroup(int parent, const std::string& name);

bool CgroupFileExists(int directory, const std::string& name);
// Writes, and returns what the kernel then shows, through one open file.
absl::StatusOr<std::string> WriteAndReadBack(int directory, const std::string& name, const std::string& text);
// Writes a number and expects to read the same one. kFailedPrecondition if the kernel holds another.
absl::Status WriteAndCheck(int directory, const std::string& name, uint64_t value);
// The number in a file; absent where the kernel has no such file.
absl::StatusOr<std::optional<uint64_t>> ReadOptionalValue(int directory, const std::string& name);
absl::StatusOr<uint64_t> ReadValue(int directory, const std::string& name);
// Reads a file that stays open, from its start. For files below 4 KiB that are read often.
absl::StatusOr<std::string> ReadAgain(int fd, std::string_view name);
absl::StatusOr<std::vector<pid_t>> ReadPids(int directory, const std::string& group);
// Thread ids; v2 only.
absl::StatusOr<std::vector<pid_t>> ReadThreads(int directory, const std::string& group);

// SIGKILL to all of `group` below `parent`, children of it included, v2 only. With cgroup.kill (Linux 5.14)
// one atomic write; without it the group is frozen first, so that no fork escapes the walk over cgroup.procs.
// KERNEL(6.18): cgroup.kill signals first threads alone, so a process whose first thread has exited while
// others go on outlives it; hence a walk over cgroup.procs after it, whose signals go to whole processes.
// What such a process forks meanwhile is left to init, which ends everything once the main process is dead.
enum class KillMethod : uint8_t { kCgroupKill, kFreeze };
absl::Status KillGroup(int parent, const std::string& group, KillMethod method);
// SIGKILL to the processes listed in one directory's cgroup.procs, each by a pidfd that was opened while the
// pid was listed before and after, so that no recycled pid is hit. Returns how many were listed.
absl::StatusOr<size_t> KillListed(int directory);
// The names of the directories in `directory`.
absl::StatusOr<std::vector<std::string>> ChildGroups(int directory);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CGROUP_IO_H_
