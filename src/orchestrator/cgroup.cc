#include "orchestrator/cgroup.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "common/files.h"
#include "common/status.h"
#include "orchestrator/cgroup_files.h"
#include "orchestrator/cgroup_hybrid.h"
#include "orchestrator/cgroup_places.h"
#include "orchestrator/cgroup_unified.h"

namespace caisson::orchestrator {
namespace {

constexpr char kSystemdBooted[] = "/run/systemd/system";

absl::StatusOr<CgroupPlaces> OwnPlaces() {
  ASSIGN_OR_RETURN(const std::string own, ReadFile("/proc/self/cgroup"));
  ASSIGN_OR_RETURN(const std::string mounts, ReadFile("/proc/self/mountinfo"));
  return FindCgroupPlaces(own, mounts);
}

bool IsHybrid(const CgroupPlaces& places) {
  return !places.memory.empty() && !places.pids.empty() && !places.cpu.empty() && !places.unified.empty();
}

std::string MissingOf(const CgroupPlaces& places) {
  std::string missing;
  const std::array<std::pair<const char*, const std::string*>, 4> wanted{{{"memory", &places.memory},
                                                                          {"pids", &places.pids},
                                                                          {"cpu", &places.cpu},
                                                                          {"the v2 tree", &places.unified}}};
  for (const auto& [name, place] : wanted) {
    if (place->empty()) {
      missing += (missing.empty() ? "" : ", ") + std::string(name);
    }
  }
  return missing;
}

// systemd marks the cgroups that it leaves to their owner.
bool IsDelegated(const std::string& directory) {
  for (const char* name : {"trusted.delegate", "user.delegate"}) {
    std::array<char, 8> value{};
    if (getxattr(directory.c_str(), name, value.data(), value.size()) == 1 && value[0] == '1') {
      return true;
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CgroupBackend>> CgroupBackend::Open(const std::string& instance) {
  if (!IsCgroupName(instance)) {
    return absl::InvalidArgumentError("open cgroups: \"" + instance + "\" is not a name of ours");
  }
  ASSIGN_OR_RETURN(const CgroupPlaces places, OwnPlaces());
  if (IsHybrid(places)) {
    return HybridBackend::Open(places, instance);
  }
  if (!places.unified.empty() && places.memory.empty() && places.pids.empty() && places.cpu.empty()) {
    return UnifiedBackend::Open(places.unified, instance);
  }
  return absl::FailedPreconditionError("open cgroups: not mounted here: " + MissingOf(places) +
                                       ": boot with systemd.unified_cgroup_hierarchy=1, or mount them");
}

bool NeedsDelegatedScope() {
  const absl::StatusOr<CgroupPlaces> places = OwnPlaces();
  if (!places.ok() || places->unified.empty() || IsHybrid(*places) || access(kSystemdBooted, F_OK) != 0) {
    return false;
  }
  // The supervisor's leaf of an earlier start of ours lies one below the delegated cgroup.
  const std::string& own = places->unified;
  const std::string parent = own.substr(0, std::max<size_t>(own.rfind('/'), 1));
  return !IsDelegated(own) && !IsDelegated(parent);
}

}  // namespace caisson::orchestrator
