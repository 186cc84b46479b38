#include "orchestrator/cgroup_places.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "common/status.h"
#include "orchestrator/cgroup_files.h"
#include "orchestrator/mount_info.h"

namespace caisson::orchestrator {
namespace {

// The directory that shows `path` of the hierarchy mounted as `mount`, or nothing if the mount shows another
// part of it.
std::optional<std::string> Shown(const MountEntry& mount, const std::string& path) {
  std::string_view rest = path;
  if (mount.root != "/") {
    if (rest.substr(0, mount.root.size()) != mount.root) {
      return std::nullopt;
    }
    rest.remove_prefix(mount.root.size());
    if (!rest.empty() && rest.front() != '/') {
      return std::nullopt;
    }
  }
  if (rest == "/") {
    rest = {};
  }
  // A path outside of the own cgroup namespace is shown with "..", and is not ours to use.
  if (rest.substr(0, 3) == "/..") {
    return std::nullopt;
  }
  return mount.mount_point + std::string(rest);
}

std::string FindPlace(const std::vector<MountEntry>& mounts, const std::vector<CgroupMembership>& memberships,
                      const std::string& controller) {
  const bool unified = controller.empty();
  for (const CgroupMembership& membership : memberships) {
    const auto& names = membership.controllers;
    if (unified ? !membership.unified : std::find(names.begin(), names.end(), controller) == names.end()) {
      continue;
    }
    for (const MountEntry& mount : mounts) {
      if (unified ? mount.type != "cgroup2"
                  : mount.type != "cgroup" || !HasOption(mount.super_options, controller)) {
        continue;
      }
      if (const auto place = Shown(mount, membership.path)) {
        return *place;
      }
    }
  }
  return {};
}

}  // namespace

absl::StatusOr<CgroupPlaces> FindCgroupPlaces(std::string_view proc_cgroup, std::string_view mountinfo) {
  ASSIGN_OR_RETURN(const auto memberships, ParseProcCgroup(proc_cgroup));
  ASSIGN_OR_RETURN(const auto mounts, ParseMountEntries(mountinfo));
  CgroupPlaces places;
  places.unified = FindPlace(mounts, memberships, "");
  places.memory = FindPlace(mounts, memberships, "memory");
  places.pids = FindPlace(mounts, memberships, "pids");
  places.cpu = FindPlace(mounts, memberships, "cpu");
  return places;
}

}  // namespace caisson::orchestrator
