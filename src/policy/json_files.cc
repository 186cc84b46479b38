// Run by caissond as root, and by whoever lints a directory.
#include "policy/json_files.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "common/status.h"
#include "policy/json_document.h"

namespace caisson::policy {
namespace {

constexpr size_t kMostFiles = 256;

}  // namespace

absl::StatusOr<std::vector<std::string>> ListJsonFiles(const UniqueFd& directory, const std::string& shown) {
  UniqueFd copy(fcntl(directory.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) {
    return ErrnoStatus(errno, "duplicate the descriptor of " + shown);
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(copy.get()), closedir);
  if (stream == nullptr) {
    return ErrnoStatus(errno, "list " + shown);
  }
  static_cast<void>(copy.release());  // the stream closes it
  std::vector<std::string> names;
  errno = 0;
  // The stream is this function's own.
  while (const dirent* entry = readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string name = static_cast<const char*>(entry->d_name);
    if (name.ends_with(".json") && !name.starts_with('.')) {
      names.push_back(name);
    }
  }
  if (errno != 0) {
    return ErrnoStatus(errno, "list " + shown);
  }
  if (names.size() > kMostFiles) {
    return absl::InvalidArgumentError(
        Complaint(shown, 1, "directory", "more than " + std::to_string(kMostFiles) + " files"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace caisson::policy
