#include "dispatcher/self_landlock.h"

#include <fcntl.h>

#include <cstdint>
#include <vector>

#include "common/files.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "lockdown/landlock.h"

namespace caisson::dispatcher {
namespace {

constexpr uint64_t kUseSockets = lockdown::kFsMakeSock | lockdown::kFsRemoveFile;
constexpr uint64_t kUseFiles = lockdown::kFsReadFile | lockdown::kFsWriteFile | lockdown::kFsMakeRegular |
                               lockdown::kFsRemoveFile | lockdown::kFsTruncate;

absl::Status Restrict(const std::set<std::string>& socket_directories, int files, uint64_t file_rights) {
  std::vector<UniqueFd> open;
  std::vector<lockdown::AllowedDirectory> allowed;
  for (const std::string& path : socket_directories) {
    ASSIGN_OR_RETURN(UniqueFd sockets, OpenFile(path, O_PATH | O_DIRECTORY));
    allowed.push_back({sockets.get(), path, kUseSockets});
    open.push_back(std::move(sockets));
  }
  if (files >= 0) {
    allowed.push_back({files, "the records", file_rights});
  }
  return lockdown::RestrictSelf(allowed);
}

}  // namespace

absl::Status RestrictFiles(const std::set<std::string>& socket_directories, int spool) {
  return Restrict(socket_directories, spool, kUseFiles);
}

absl::Status RestrictFilesToRecords(const std::set<std::string>& socket_directories,
                                    const std::string& records_directory) {
  ASSIGN_OR_RETURN(const UniqueFd records, OpenFile(records_directory, O_PATH | O_DIRECTORY));
  return Restrict(socket_directories, records.get(),
                  kUseFiles | lockdown::kFsReadDirectory | lockdown::kFsMakeDirectory);
}

}  // namespace caisson::dispatcher
