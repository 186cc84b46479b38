// The images that profiles name, each mounted once for all their sandboxes: in caissond's own mount
// namespace, read-only, nosuid, nodev. They go with the namespace, however caissond ends.
#ifndef CAISSON_ORCHESTRATOR_IMAGE_MOUNTS_H_
#define CAISSON_ORCHESTRATOR_IMAGE_MOUNTS_H_

#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "policy/image_file.h"
#include "policy/profile.h"

namespace caisson::orchestrator {

struct MountedImage {
  UniqueFd root;  // O_PATH, the directory it is mounted on
  dev_t device = 0;
  policy::ImageDigest digest{};
};

class ImageMounts {
 public:
  // `directory` is root's own, made if it is missing, and may be passed through by the dispatcher. Must be
  // called in the mount namespace in which init is started.
  static absl::StatusOr<ImageMounts> Create(const std::string& directory);

  // Verifies the file and mounts what that very descriptor holds, below the directory under the name that
  // policy::MountNameOf tells. A digest that is mounted already is not mounted again. Errors are
  // "FILE:LINE: KEY: reason".
  absl::StatusOr<MountedImage> Mount(const policy::RootImage& image);

  const std::string& directory() const { return directory_; }
  size_t size() const { return mounted_.size(); }

 private:
  explicit ImageMounts(std::string directory) : directory_(std::move(directory)) {}

  absl::StatusOr<MountedImage> MountNew(const policy::RootImage& image);

  std::string directory_;
  std::map<std::string, MountedImage> mounted_;  // by digest
  std::set<std::string> verified_;               // path and digest
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_IMAGE_MOUNTS_H_
