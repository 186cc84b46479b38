// Reading a file that decides what privileged programs do: only what no other user can have written.
#ifndef CAISSON_POLICY_TRUSTED_FILE_H_
#define CAISSON_POLICY_TRUSTED_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "policy/profile_loader.h"

namespace caisson::policy {

// Opens a directory, never through a symbolic link, and checks the opened descriptor as `trust` says.
absl::StatusOr<UniqueFd> OpenTrustedDirectory(const std::string& path, FileTrust trust);

// Opens `name` in `directory` (AT_FDCWD for a path) for reading, without following a link, and checks the
// opened descriptor: a regular file, and owner and mode as `trust` says. Messages as below.
absl::StatusOr<UniqueFd> OpenTrustedFile(int directory, const std::string& name, const std::string& shown,
                                         FileTrust trust);

// Reads `name` in `directory` (AT_FDCWD for a path): opened without following a link, then the descriptor is
// checked, so nobody can exchange the file between check and reading. `shown` is the path in messages, in the
// form "FILE:1: file: reason" (kInvalidArgument); a file that cannot be opened is the error of open(2).
absl::StatusOr<std::string> ReadTrustedFile(int directory, const std::string& name, const std::string& shown,
                                            FileTrust trust);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_TRUSTED_FILE_H_
