// What a mounted image holds, looked through once before any sandbox shows it.
#ifndef CAISSON_ORCHESTRATOR_IMAGE_TREE_H_
#define CAISSON_ORCHESTRATOR_IMAGE_TREE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace caisson::orchestrator {

struct ImageTree {
  uint64_t files = 0;
  uint64_t bytes_read = 0;
};

// Walks the whole tree below the directory `root` without following a link and without leaving its file
// system. kFailedPrecondition names the first set-user-id or set-group-id file, device, FIFO or socket: no
// sandbox could use one, and no image of ours has one. Each file is read once, up to a bound, so that its
// pages are charged to caissond's cgroup and not to that of the first run that touches them, which on cgroup
// v1 could then not be removed for good.
absl::StatusOr<ImageTree> ReadImageTree(int root);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_IMAGE_TREE_H_
