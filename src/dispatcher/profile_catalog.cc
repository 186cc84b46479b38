#include "dispatcher/profile_catalog.h"

#include <fcntl.h>

#include <utility>

#include "common/files.h"
#include "common/status.h"
#include "policy/image_file.h"
#include "policy/toolchain.h"

namespace caisson::dispatcher {
namespace {

// The rest of `line` after `key`, if it starts with it.
bool TakeField(std::string_view line, std::string_view key, std::string_view& value) {
  if (line.substr(0, key.size()) != key) {
    return false;
  }
  value = line.substr(key.size());
  return true;
}

CatalogEntry EntryOf(const policy::Profile& profile, const PackageVersions& versions, int root) {
  CatalogEntry entry{profile, "", "", {}};
  if (const auto version = versions.find(profile.toolchain_package); version != versions.end()) {
    entry.toolchain_version = version->second;
  }
  entry.unavailable_reason = policy::UnavailableReason(profile, root);
  for (const auto& [library_name, library] : profile.packages) {
    entry.libraries[library_name] = policy::UnavailableReason(library, root);
  }
  return entry;
}

CatalogEntry OfImage(const policy::Profile& profile, int images) {
  const absl::StatusOr<UniqueFd> root =
      OpenFileAt(images, policy::MountNameOf(*profile.image), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!root.ok()) {
    // caissond mounts before it starts this program: the profile was changed since.
    return {profile, "", "its image is mounted at caissond's next start", {}};
  }
  return EntryOf(profile, ReadPackageVersions(root->get()), root->get());
}

}  // namespace

ProfileCatalog::ProfileCatalog(policy::ProfileSet profiles, const PackageVersions& versions, int images)
    : profiles_(std::move(profiles)) {
  for (const auto& [name, profile] : profiles_) {
    entries_.emplace(
        name, profile.image ? OfImage(profile, images) : EntryOf(profile, versions, policy::kHostRoot));
  }
}

const CatalogEntry* ProfileCatalog::Find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

std::string ProfileCatalog::Nearest(const std::string& name) const {
  std::string joined;
  for (const std::string& near : policy::NearestNames(profiles_, name)) {
    joined += (joined.empty() ? "" : ", ") + near;
  }
  return joined;
}

PackageVersions ReadPackageVersions(int root) {
  constexpr size_t kMaxStatusBytes = 64U << 20U;
  const absl::StatusOr<UniqueFd> file = OpenInRoot(root, "/var/lib/dpkg/status", O_RDONLY);
  if (!file.ok()) {
    return {};
  }
  const absl::StatusOr<std::string> text = ReadOpenFile(file->get(), "dpkg's status", kMaxStatusBytes);
  return text.ok() ? ParsePackageVersions(*text) : PackageVersions();
}

PackageVersions ParsePackageVersions(std::string_view dpkg_status) {
  PackageVersions versions;
  std::string_view package;
  bool installed = false;
  while (!dpkg_status.empty()) {
    const size_t end = dpkg_status.find('\n');
    const std::string_view line = dpkg_status.substr(0, end);
    dpkg_status.remove_prefix(end == std::string_view::npos ? dpkg_status.size() : end + 1);
    std::string_view value;
    if (TakeField(line, "Package: ", value)) {
      package = value;
      installed = false;
    } else if (TakeField(line, "Status: ", value)) {
      installed = value == "install ok installed" || value == "hold ok installed";
    } else if (installed && TakeField(line, "Version: ", value)) {
      versions.emplace(package, value);
    }
  }
  return versions;
}

}  // namespace caisson::dispatcher
