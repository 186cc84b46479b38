// /proc/PID/mountinfo as values. Pure. The kernel writes this text; the paths in it are whatever mounted them
// said.
#ifndef CAISSON_ORCHESTRATOR_MOUNT_INFO_H_
#define CAISSON_ORCHESTRATOR_MOUNT_INFO_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace caisson::orchestrator {

struct MountEntry {
  uint32_t major = 0;  // of the file system's device number
  uint32_t minor = 0;
  std::string root;                      // the path inside the file system that is mounted
  std::string mount_point;               // as seen from the reading process's root
  std::string options;                   // of this mount, comma-separated
  std::vector<std::string> propagation;  // "shared:N", "master:N", "propagate_from:N", "unbindable"
  std::string type;
  std::string super_options;  // of the file system, comma-separated
};

// Every line, in the kernel's order, with the octal escapes of paths undone. kInvalidArgument names the
// broken line.
absl::StatusOr<std::vector<MountEntry>> ParseMountEntries(std::string_view text);

// Whether `option` is one of the comma-separated words of `list`.
bool HasOption(std::string_view list, std::string_view option);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_MOUNT_INFO_H_
