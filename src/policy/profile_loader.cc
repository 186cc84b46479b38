#include "policy/profile_loader.h"

#include <utility>

#include "common/status.h"
#include "common/unique_fd.h"
#include "policy/json_files.h"
#include "policy/nearest.h"
#include "policy/profile_resolver.h"
#include "policy/profile_source.h"
#include "policy/trusted_file.h"

namespace caisson::policy {
namespace {

constexpr char kSchemaFile[] = "schema.json";

}  // namespace

absl::StatusOr<ProfileSet> LoadProfiles(const std::string& directory, FileTrust trust) {
  ASSIGN_OR_RETURN(LoadedProfiles loaded, LoadProfilesAndGroups(directory, trust));
  return std::move(loaded.profiles);
}

absl::StatusOr<LoadedProfiles> LoadProfilesAndGroups(const std::string& directory, FileTrust trust) {
  ASSIGN_OR_RETURN(const UniqueFd opened, OpenTrustedDirectory(directory, trust));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListJsonFiles(opened, directory));
  std::vector<std::string> complaints;
  SyscallGroups groups;
  ProfileSources sources;
  for (const std::string& name : names) {
    if (name == kSchemaFile) {
      continue;
    }
    const std::string shown = std::string(directory).append("/").append(name);
    absl::StatusOr<std::string> text = ReadTrustedFile(opened.get(), name, shown, trust);
    if (!text.ok()) {
      complaints.push_back(Message(text.status()));
      continue;
    }
    if (name == kSyscallGroupsFile) {
      absl::StatusOr<SyscallGroups> parsed = ParseSyscallGroups(*text, shown);
      if (parsed.ok()) {
        groups = *std::move(parsed);
      } else {
        complaints.push_back(Message(parsed.status()));
      }
      continue;
    }
    absl::StatusOr<ProfileSource> parsed = ParseProfileText(*text, shown);
    if (parsed.ok()) {
      const std::string profile_name = parsed->name.value;
      sources.emplace(profile_name, *std::move(parsed));
    } else {
      complaints.push_back(Message(parsed.status()));
    }
  }
  // What refers to a file that could not be read would only be blamed for that file's faults.
  RETURN_IF_ERROR(ComplaintsToStatus(complaints));
  ASSIGN_OR_RETURN(ProfileSet profiles, ResolveProfiles(sources, groups));
  return LoadedProfiles{std::move(profiles), std::move(groups)};
}

std::vector<std::string> NearestNames(const ProfileSet& profiles, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& [known_name, profile] : profiles) {
    known.push_back(known_name);
  }
  return NearestOf(known, name, 3);
}

}  // namespace caisson::policy
