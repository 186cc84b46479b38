// Small reads and writes of kernel and configuration files.
#ifndef CAISSON_COMMON_FILES_H_
#define CAISSON_COMMON_FILES_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson {

// Reads at most max_bytes; a longer file is kOutOfRange, so nothing is silently cut.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes = 1 << 20);
absl::StatusOr<std::string> ReadFileAt(int directory, const std::string& name, size_t max_bytes = 1 << 16);
// The same of what is open already; `name` is for messages.
absl::StatusOr<std::string> ReadOpenFile(int fd, const std::string& name, size_t max_bytes);
// One write(2) of all of `text`, as cgroupfs and procfs want it.
absl::Status WriteFile(const std::string& path, std::string_view text);
absl::Status WriteFileAt(int directory, const std::string& name, std::string_view text);
// Opens close-on-exec. `flags` as open(2).
absl::StatusOr<UniqueFd> OpenFile(const std::string& path, int flags, unsigned int mode = 0);
absl::StatusOr<UniqueFd> OpenFileAt(int directory, const std::string& name, int flags, unsigned int mode = 0);
// Opens `path`, absolute or relative, below the directory `root` as a process would whose root that is:
// neither ".." nor an absolute symbolic link leads out (openat2(2), RESOLVE_IN_ROOT).
absl::StatusOr<UniqueFd> OpenInRoot(int root, const std::string& path, int flags);

}  // namespace caisson

#endif  // CAISSON_COMMON_FILES_H_
