// Runs as whoever called it and installs only as root. Profiles are read from files that only root can write,
// since what they name is installed.
#include "cli/install_command.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/child_program.h"
#include "cli/doctor_command.h"
#include "cli/exit_code.h"
#include "cli/profile_command.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"
#include "policy/profile_loader.h"
#include "policy/toolchain.h"

namespace caisson::cli {
namespace {

constexpr char kAptGet[] = "/usr/bin/apt-get";
constexpr char kRestart[] = "caissond looks for toolchains when it starts: systemctl restart caissond";

int Fail(const std::string& line) {
  Complain("profile install: " + line);
  return kExitService;
}

absl::StatusOr<policy::Profile> Load(const InstallOptions& options) {
  std::string directory = options.directory;
  if (directory.empty()) {
    ASSIGN_OR_RETURN(directory, DefaultProfilesDirectory(ExecutableDirectory()));
  }
  ASSIGN_OR_RETURN(const policy::ProfileSet set,
                   policy::LoadProfiles(directory, policy::FileTrust::kRequireRootOwned));
  if (const auto found = set.find(options.name); found != set.end()) {
    return found->second;
  }
  const std::vector<std::string> nearest = policy::NearestNames(set, options.name);
  return absl::NotFoundError("no profile is named '" + Printable(options.name) + "'" +
                             (nearest.empty() ? "" : "; did you mean " + JoinNames(nearest) + "?"));
}

std::vector<std::string> AptGetCommand(const std::vector<std::string>& packages) {
  std::vector<std::string> command = {kAptGet, "install", "--yes", "--no-install-recommends", "--"};
  command.insert(command.end(), packages.begin(), packages.end());
  return command;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

}  // namespace

std::vector<std::string> MissingPackages(const policy::Profile& profile, bool libraries) {
  std::vector<std::string> packages;
  const auto add = [&packages](const std::string& package) {
    if (!package.empty() && std::find(packages.begin(), packages.end(), package) == packages.end()) {
      packages.push_back(package);
    }
  };
  if (!policy::UnavailableReason(profile).empty()) {
    add(profile.toolchain_package);
  }
  for (const auto& [name, library] : profile.packages) {
    if (libraries && !policy::UnavailableReason(library).empty()) {
      add(library.package);
    }
  }
  return packages;
}

int InstallCommand(const InstallOptions& options) {
  const absl::StatusOr<policy::Profile> profile = Load(options);
  if (!profile.ok()) {
    return Fail(Message(profile.status()));
  }
  if (profile->image) {
    return Fail("the root of " + profile->name + " is an image, " + profile->image->path +
                ": what is in it was decided when it was made; see caisson image build --help");
  }
  const std::vector<std::string> packages = MissingPackages(*profile, options.libraries);
  const std::string reason = policy::UnavailableReason(*profile);
  if (packages.empty() && !reason.empty()) {
    return Fail(reason + ", and the profile names no package that brings it");
  }
  if (packages.empty()) {
    return Print("profile " + profile->name + ": everything is there\n");
  }
  for (const std::string& package : packages) {
    if (!policy::IsPackageName(package)) {
      return Fail("'" + Printable(package) + "' is no name of a Debian package");
    }
  }
  const std::vector<std::string> command = AptGetCommand(packages);
  const int printed = Print("profile " + profile->name + ": " + Joined(command) + "\n");
  if (options.dry_run || printed != kExitOk) {
    return printed;
  }
  if (geteuid() != 0) {
    return Fail("installing packages needs root: sudo caisson profile install " + profile->name);
  }
  if (access(kAptGet, X_OK) != 0) {
    return Fail(std::string(kAptGet) + ": " + std::strerror(errno) + "; install " + Joined(packages) +
                " by this system's own means");
  }
  ChildProgram apt_get;
  apt_get.command = command;
  const absl::StatusOr<int> code = RunToItsEnd(apt_get);
  if (!code.ok()) {
    return Fail(Message(code.status()));
  }
  if (*code != 0) {
    return Fail("apt-get exited with " + std::to_string(*code) +
                "; if the package lists are old, `apt-get update` may help");
  }
  if (!MissingPackages(*profile, options.libraries).empty()) {
    return Fail("installed, and yet: " + policy::UnavailableReason(*profile));
  }
  return Print("profile " + profile->name + ": installed. " + kRestart + "\n");
}

}  // namespace caisson::cli
