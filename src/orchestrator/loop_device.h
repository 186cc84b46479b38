// A file as a block device, for file systems that mount nothing else.
#ifndef CAISSON_ORCHESTRATOR_LOOP_DEVICE_H_
#define CAISSON_ORCHESTRATOR_LOOP_DEVICE_H_

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::orchestrator {

// A free loop device over `file`, by its descriptor, read-only. It is let go by itself when nobody has it
// open or mounted any more (LO_FLAGS_AUTOCLEAR), so a SIGKILL leaves none behind. Linux 5.8 (LOOP_CONFIGURE).
absl::StatusOr<UniqueFd> AttachLoopDevice(int file);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_LOOP_DEVICE_H_
