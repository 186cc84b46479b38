#include "dispatcher/profile_catalog.h"

#include <utility>

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

}  // namespace

ProfileCatalog::ProfileCatalog(policy::ProfileSet profiles,
                               const std::map<std::string, std::string>& versions)
    : profiles_(std::move(profiles)) {
  for (const auto& [name, profile] : profiles_) {
    CatalogEntry entry{profile, "", "", {}};
    if (const auto version = versions.find(profile.toolchain_package); version != versions.end()) {
      entry.toolchain_version = version->second;
    }
    entry.unavailable_reason = policy::UnavailableReason(profile);
    for (const auto& [library_name, library] : profile.packages) {
      entry.libraries[library_name] = policy::UnavailableReason(library);
    }
    entries_.emplace(name, std::move(entry));
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

std::map<std::string, std::string> ParsePackageVersions(std::string_view dpkg_status) {
  std::map<std::string, std::string> versions;
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
