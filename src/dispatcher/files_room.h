// Whether a request's files fit into the work directory that its limits allow. Pure; client data, untrusted.
#ifndef CAISSON_DISPATCHER_FILES_ROOM_H_
#define CAISSON_DISPATCHER_FILES_ROOM_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "dispatcher/errors.h"
#include "policy/limits.h"

namespace caisson::dispatcher {

struct FileSize {
  std::string_view path;  // checked by CheckFilePaths
  uint64_t bytes = 0;
};

// What the files take of disk_bytes (whole pages) and of inode_count (their directories too). A violation
// names the limit that is too small for them and what they need: nothing would ever run.
std::vector<FieldViolation> CheckFilesRoom(const std::vector<FileSize>& files, const policy::Limits& limits);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_FILES_ROOM_H_
