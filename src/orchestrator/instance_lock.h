// One caissond per state directory: a lock, and the record of what a killed predecessor may have left.
#ifndef CAISSON_ORCHESTRATOR_INSTANCE_LOCK_H_
#define CAISSON_ORCHESTRATOR_INSTANCE_LOCK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::orchestrator {

// Makes the directory (0700) if need be; an error unless it is root's and nobody else may write to it.
absl::Status EnsureRootsDirectory(const std::string& path);

class InstanceLock {
 public:
  // Makes the directory (0700, root) if need be and locks it for as long as this object lives.
  // kFailedPrecondition naming the holder's pid when another process holds it; the kernel frees the lock
  // however that process ends.
  static absl::StatusOr<InstanceLock> Acquire(const std::string& state_dir);

  // "caisson-" and 16 hex digits that follow from the state directory: the name of this instance's cgroups.
  const std::string& instance() const { return instance_; }
  const std::string& state_dir() const { return state_dir_; }

  // The cgroup directories a predecessor recorded; empty if there was none.
  absl::StatusOr<std::vector<std::string>> RecordedDirectories() const;
  absl::Status RecordDirectories(const std::vector<std::string>& directories) const;
  absl::Status ForgetDirectories() const;

 private:
  InstanceLock(std::string state_dir, UniqueFd lock);

  std::string state_dir_;
  std::string instance_;
  UniqueFd lock_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_INSTANCE_LOCK_H_
