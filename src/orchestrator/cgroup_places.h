// Where caissond's own cgroup is in each hierarchy of this host, from the text of /proc/self/cgroup and
// /proc/self/mountinfo. Pure.
#ifndef CAISSON_ORCHESTRATOR_CGROUP_PLACES_H_
#define CAISSON_ORCHESTRATOR_CGROUP_PLACES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace caisson::orchestrator {

// Absolute directories of the own cgroup; empty where the host has no such hierarchy mounted.
struct CgroupPlaces {
  std::string unified;
  std::string memory;
  std::string pids;
  std::string cpu;
};

// Looks at mounts only: whether v2 has the controllers is for the caller to read in `unified`.
absl::StatusOr<CgroupPlaces> FindCgroupPlaces(std::string_view proc_cgroup, std::string_view mountinfo);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CGROUP_PLACES_H_
