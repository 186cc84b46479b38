#include "policy/toolchain.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/files.h"

namespace caisson::policy {
namespace {

// In an image a link must not lead to the host's files of the same name.
bool IsThere(const std::string& path, int root) {
  return root == kHostRoot ? access(path.c_str(), F_OK) == 0 : OpenInRoot(root, path, O_PATH).ok();
}

std::string ReasonFor(const std::string& package, const std::string& probe, int root) {
  if (probe.empty() || IsThere(probe, root)) {
    return {};
  }
  if (package.empty()) {
    return probe + " is missing" + (root == kHostRoot ? "" : " in the image");
  }
  return "package " + package + " is not " + (root == kHostRoot ? "installed" : "in the image") + " (" +
         probe + " is missing)";
}

}  // namespace

std::string UnavailableReason(const Profile& profile, int root) {
  if (profile.image && root == kHostRoot) {
    return IsThere(profile.image->path, kHostRoot) ? "" : "the image " + profile.image->path + " is missing";
  }
  return ReasonFor(profile.toolchain_package, profile.toolchain_probe, root);
}

std::string UnavailableReason(const Library& library, int root) {
  return ReasonFor(library.package, library.probe, root);
}

bool IsPackageName(const std::string& name) {
  constexpr char kFirst[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr char kRest[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
  return name.size() > 1 && name.find_first_of(kFirst) == 0 &&
         name.find_first_not_of(kRest) == std::string::npos && name.back() != '-';
}

}  // namespace caisson::policy
