#include "cli/new_profile.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "cli/doctor_command.h"
#include "cli/profile_command.h"
#include "cli/text.h"
#include "common/files.h"
#include "common/status.h"
#include "policy/lint.h"
#include "policy/profile_resolver.h"
#include "policy/profile_source.h"
#include "policy/profile_writer.h"

namespace caisson::cli {
namespace {

// Complaints about the caller's choice of a name come in the words of a profile file.
absl::StatusOr<policy::Profile> ReadBack(const std::string& text, const NewProfileOptions& options,
                                         const policy::SyscallGroups& groups) {
  ASSIGN_OR_RETURN(policy::ProfileSource source, policy::ParseProfileText(text, options.output));
  policy::ProfileSources sources;
  sources.emplace(options.name, std::move(source));
  ASSIGN_OR_RETURN(auto profiles, policy::ResolveProfiles(sources, groups));
  return std::move(profiles.at(options.name));
}

}  // namespace

absl::StatusOr<ProfileBase> LoadBase(const NewProfileOptions& options) {
  std::string directory = options.directory;
  if (directory.empty()) {
    ASSIGN_OR_RETURN(directory, DefaultProfilesDirectory(ExecutableDirectory()));
  }
  ASSIGN_OR_RETURN(policy::LoadedProfiles loaded,
                   policy::LoadProfilesAndGroups(directory, policy::FileTrust::kAnyOwner));
  const auto found = loaded.profiles.find(options.base);
  if (found == loaded.profiles.end()) {
    const std::vector<std::string> nearest = policy::NearestNames(loaded.profiles, options.base);
    return absl::NotFoundError("no profile is named '" + Printable(options.base) + "' in " + directory +
                               (nearest.empty() ? "" : "; did you mean " + JoinNames(nearest) + "?"));
  }
  return ProfileBase{std::move(found->second), std::move(loaded.groups)};
}

absl::Status ChooseNames(NewProfileOptions& options, const std::string& suffix) {
  const std::filesystem::path output(options.output);
  if (options.name.empty()) {
    options.name = options.output.empty() ? options.base + suffix : output.stem().string();
  }
  if (options.output.empty()) {
    options.output = options.name + ".json";
  } else if (output.filename() != options.name + ".json") {
    return absl::InvalidArgumentError("--output " + options.output + ": the file of a profile named " +
                                      options.name + " must be " + options.name + ".json");
  }
  std::error_code ignored;
  if (!options.force && std::filesystem::exists(options.output, ignored)) {
    return absl::InvalidArgumentError(options.output + " is there already; --force replaces it");
  }
  return absl::OkStatus();
}

absl::Status WriteNewProfile(policy::Profile profile, const policy::SyscallGroups& groups,
                             const NewProfileOptions& options) {
  profile.name = options.name;
  const std::string text = policy::WriteProfile(profile, groups);
  const absl::StatusOr<policy::Profile> read = ReadBack(text, options, groups);
  if (!read.ok()) {
    return absl::FailedPreconditionError("not written, since no caissond would take it:\n" +
                                         Message(read.status()));
  }
  std::string findings;
  for (const std::string& finding : policy::LintProfile(*read)) {
    findings += "\n" + finding;
  }
  if (!findings.empty()) {
    return absl::FailedPreconditionError("not written, since lint objects to it:" + findings);
  }
  constexpr unsigned int kMode = 0644;  // caissond wants no file that others can write
  const int existing = options.force ? O_TRUNC : O_EXCL;
  ASSIGN_OR_RETURN(const UniqueFd file,
                   OpenFile(options.output, O_WRONLY | O_CREAT | O_NOFOLLOW | existing, kMode));
  for (size_t written = 0; written < text.size();) {
    const ssize_t got = write(file.get(), text.data() + written, text.size() - written);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return ErrnoStatus(got < 0 ? errno : EIO, "write " + options.output);
    }
    written += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

}  // namespace caisson::cli
