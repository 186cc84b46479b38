// SweepInstance: kills and removes what a killed caissond left. Run by caissond as root at its start, under
// the state lock. The directories come from a root-owned record, and are checked as if they did not: this
// code kills.
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/files.h"
#include "common/status.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/cgroup_files.h"
#include "orchestrator/cgroup_io.h"
#include "orchestrator/mount_info.h"

namespace caisson::orchestrator {
namespace {

constexpr int64_t kSweepDeadlineNanos = 10'000 * kNanosPerMilli;
constexpr int kMaxDepth = 8;

// One checked directory: opened parent and own name.
struct Leftover {
  std::string path;
  UniqueFd parent;
  bool unified = false;
};

absl::Status Refuse(const std::string& path, const char* why) {
  return absl::InvalidArgumentError("sweep " + path + ": " + why);
}

// Whether every component is a plain name.
bool IsPlain(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.back() == '/') {
    return false;
  }
  path.remove_prefix(1);
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") {
      return false;
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

// The deepest cgroup mount above `path`; nullptr if there is none.
const MountEntry* MountAbove(const std::vector<MountEntry>& mounts, const std::string& path) {
  const MountEntry* best = nullptr;
  for (const MountEntry& mount : mounts) {
    const std::string prefix = mount.mount_point + "/";
    if (path.compare(0, prefix.size(), prefix) != 0) {
      continue;
    }
    if (best == nullptr || mount.mount_point.size() >= best->mount_point.size()) {
      best = &mount;
    }
  }
  if (best == nullptr || (best->type != "cgroup" && best->type != "cgroup2")) {
    return nullptr;
  }
  return best;
}

absl::StatusOr<UniqueFd> OpenBeneath(int root, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  UniqueFd fd(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
  if (!fd.valid()) {
    return ErrnoStatus(errno, "open " + path);
  }
  return fd;
}

absl::StatusOr<Leftover> CheckLeftover(const std::vector<MountEntry>& mounts, const std::string& path,
                                       const std::string& instance) {
  if (!IsPlain(path)) {
    return Refuse(path, "not a plain absolute path");
  }
  if (path.substr(path.rfind('/') + 1) != instance) {
    return Refuse(path, "does not end in the instance's name");
  }
  const MountEntry* mount = MountAbove(mounts, path);
  if (mount == nullptr) {
    return Refuse(path, "not below a cgroup mount");
  }
  Leftover leftover{path, UniqueFd(), mount->type == "cgroup2"};
  ASSIGN_OR_RETURN(const UniqueFd root, OpenFile(mount->mount_point, O_RDONLY | O_DIRECTORY));
  const std::string rest = path.substr(mount->mount_point.size() + 1);
  const size_t slash = rest.rfind('/');
  absl::StatusOr<UniqueFd> parent =
      OpenBeneath(root.get(), slash == std::string::npos ? "." : rest.substr(0, slash));
  if (absl::IsNotFound(parent.status())) {
    return leftover;  // the cgroup that held it is gone, and it with it
  }
  RETURN_IF_ERROR(parent.status());
  struct statfs file_system {};
  if (fstatfs(parent->get(), &file_system) != 0) {
    return ErrnoStatus(errno, "statfs " + path);
  }
  const auto magic = static_cast<uint64_t>(file_system.f_type);
  if (magic != (leftover.unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC)) {
    return Refuse(path, "not in a cgroup file system");
  }
  leftover.parent = std::move(*parent);
  return leftover;
}

// One pass over the tree: kills what is listed, removes what is empty. kUnavailable if something is still
// busy.
absl::Status RemoveTree(int parent, const std::string& name, int depth) {
  if (depth > kMaxDepth) {
    return absl::FailedPreconditionError("sweep " + name + ": nested too deep");
  }
  absl::StatusOr<UniqueFd> directory = OpenCgroup(parent, name);
  if (absl::IsNotFound(directory.status())) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(directory.status());
  RETURN_IF_ERROR(KillListed(directory->get()).status());
  ASSIGN_OR_RETURN(const auto children, ChildGroups(directory->get()));
  absl::Status busy = absl::OkStatus();
  for (const std::string& child : children) {
    const absl::Status removed = RemoveTree(directory->get(), child, depth + 1);
    if (absl::IsUnavailable(removed)) {
      busy = removed;
    } else {
      RETURN_IF_ERROR(removed);
    }
  }
  RETURN_IF_ERROR(busy);
  return RemoveCgroup(parent, name);
}

absl::Status RemoveUntil(const Leftover& leftover, const std::string& instance, int64_t deadline) {
  for (int64_t pause_nanos = 100'000;; pause_nanos = std::min<int64_t>(pause_nanos * 2, 20'000'000)) {
    const absl::Status removed = RemoveTree(leftover.parent.get(), instance, 0);
    if (!absl::IsUnavailable(removed)) {
      return removed.ok() ? removed : Prefix(removed, "sweep " + leftover.path);
    }
    if (MonotonicNanos() > deadline) {
      return absl::DeadlineExceededError("sweep " + leftover.path + ": " + Message(removed));
    }
    // Dying takes the scheduler, and v1 has no event for "empty".
    const timespec pause{0, pause_nanos};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace

absl::Status SweepInstance(const std::vector<std::string>& directories, const std::string& instance) {
  if (!IsCgroupName(instance)) {
    return absl::InvalidArgumentError("sweep: \"" + instance + "\" is not a name of ours");
  }
  ASSIGN_OR_RETURN(const std::string mountinfo, ReadFile("/proc/self/mountinfo"));
  ASSIGN_OR_RETURN(const std::vector<MountEntry> mounts, ParseMountEntries(mountinfo));
  std::vector<Leftover> leftovers;
  // All are checked before the first is touched.
  for (const std::string& path : directories) {
    ASSIGN_OR_RETURN(Leftover leftover, CheckLeftover(mounts, path, instance));
    if (leftover.parent.valid()) {
      leftovers.push_back(std::move(leftover));
    }
  }
  const int64_t deadline = MonotonicNanos() + kSweepDeadlineNanos;
  // The v2 tree first: there one write kills everything at once, and the walks below find nobody.
  for (const Leftover& leftover : leftovers) {
    if (leftover.unified && CgroupFileExists(leftover.parent.get(), instance + "/cgroup.kill")) {
      RETURN_IF_ERROR(KillGroup(leftover.parent.get(), instance, KillMethod::kCgroupKill));
    }
  }
  for (const Leftover& leftover : leftovers) {
    RETURN_IF_ERROR(RemoveUntil(leftover, instance, deadline));
  }
  return absl::OkStatus();
}

}  // namespace caisson::orchestrator
