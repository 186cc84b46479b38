// What both cgroup backends share.
#ifndef CAISSON_ORCHESTRATOR_CGROUP_COMMON_H_
#define CAISSON_ORCHESTRATOR_CGROUP_COMMON_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "orchestrator/cgroup.h"

namespace caisson::orchestrator {

// kInvalidArgument for a limit of 0 or one that no kernel can hold.
absl::Status CheckLimitValues(const CgroupLimits& limits);
// The kernel keeps memory limits in pages.
uint64_t RoundDownToPage(uint64_t bytes);
// kFailedPrecondition, with the first limit that is not as it was set.
absl::Status CheckLimitsHeld(const CgroupLimits& held, const CgroupLimits& set);

// Makes <place>/<instance> and opens it. One that is there already is taken only if it has no child and no
// process: what a predecessor left must have been swept before, and a neighbour's is never shared.
absl::StatusOr<UniqueFd> MakeInstanceDirectory(const std::string& place, const std::string& instance);

// What cgroup.events of a group, v2, says of it and all below it.
absl::StatusOr<bool> ReadIsEmpty(int directory, const std::string& group);

// From cpu.stat of a group and all below it; from an open one.
absl::StatusOr<uint64_t> ReadCpuMicros(int directory, const std::string& group);
absl::Status ReadCpuTimes(int cpu_stat, CgroupUsage& usage);

// The two keys' values in memory.stat of a group.
absl::StatusOr<MemoryParts> ReadMemoryStat(int directory, const std::string& group,
                                           std::string_view anonymous, std::string_view file);

// Pure. Whether a kernel booted with this command line charges memory of sockets to cgroups.
bool CountsSockets(std::string_view boot_parameters);

// Whether any swap is active now. Unreadable counts as yes.
bool HostHasSwap();

std::vector<int> Borrow(const std::vector<UniqueFd>& fds);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CGROUP_COMMON_H_
