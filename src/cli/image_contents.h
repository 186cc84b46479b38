// From a Debian root to what an image holds: the paths that a profile shows, the package database, and
// nothing else.
#ifndef CAISSON_CLI_IMAGE_CONTENTS_H_
#define CAISSON_CLI_IMAGE_CONTENTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace caisson::cli {

// Where dpkg says what is installed; in every image, and shown to no sandbox.
inline constexpr char kPackageDatabase[] = "/var/lib/dpkg/status";

// Moves `sources` (absolute paths in `root`, where links lead nowhere outside) into the empty directory
// `tree`, at the same places; those that are not there are left out. Also the links of a merged /usr (/bin,
// /lib …), and kPackageDatabase. Both directories must be on one file system. So whatever of the host got
// into `root` (its name, its resolvers, its package sources) stays behind.
absl::Status TakeContents(const std::string& root, const std::vector<std::string>& sources,
                          const std::string& tree);

// Takes away the set-user-id and set-group-id bits of files, and removes what is no file, directory or link:
// caissond refuses images with either.
absl::Status StripContents(const std::string& tree);

// The name that a link finally has: "python3.11" for PATH = /usr/bin/python3. `root` is the directory that
// absolute links start from.
absl::StatusOr<std::string> FinalName(const std::string& root, const std::string& path);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_IMAGE_CONTENTS_H_
