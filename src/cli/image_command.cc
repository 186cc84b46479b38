// Runs as whoever called it and builds only as root. The profile is read from files that only root can have
// written, since what it names is installed. Package tools run in mount namespaces of their own.
#include "cli/image_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <utility>

#include "cli/child_program.h"
#include "cli/doctor_command.h"
#include "cli/exit_code.h"
#include "cli/image_builder.h"
#include "cli/image_recipe.h"
#include "cli/profile_command.h"
#include "cli/text.h"
#include "common/files.h"
#include "common/status.h"
#include "policy/profile_loader.h"
#include "policy/profile_source.h"
#include "policy/trusted_file.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<policy::Profile> LoadProfile(const ImageOptions& options) {
  std::string directory = options.directory;
  if (directory.empty()) {
    ASSIGN_OR_RETURN(directory, DefaultProfilesDirectory(ExecutableDirectory()));
  }
  ASSIGN_OR_RETURN(const policy::ProfileSet set,
                   policy::LoadProfiles(directory, policy::FileTrust::kRequireRootOwned));
  if (const auto found = set.find(options.profile); found != set.end()) {
    return found->second;
  }
  const std::vector<std::string> nearest = policy::NearestNames(set, options.profile);
  return absl::NotFoundError("no profile is named '" + Printable(options.profile) + "'" +
                             (nearest.empty() ? "" : "; did you mean " + JoinNames(nearest) + "?"));
}

// What apt on this host reads its packages from.
std::vector<std::string> AptSources() {
  std::vector<std::string> sources;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/etc/apt/sources.list.d", error)) {
    const std::string extension = entry.path().extension();
    if (extension == ".list" || extension == ".sources") {
      sources.push_back(entry.path());
    }
  }
  std::sort(sources.begin(), sources.end());
  if (fs::file_size("/etc/apt/sources.list", error) > 0 && !error) {
    sources.insert(sources.begin(), "/etc/apt/sources.list");
  }
  return sources;
}

absl::StatusOr<std::string> HostSuite() {
  ASSIGN_OR_RETURN(const std::string text, ReadFile("/etc/os-release"));
  const std::string suite = ParsePackageLines(text, "=")["VERSION_CODENAME"];
  if (suite.empty() ||
      suite.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
    return absl::FailedPreconditionError("/etc/os-release names no VERSION_CODENAME: which Debian is this?");
  }
  return suite;
}

absl::StatusOr<ImageRecipe> MakeRecipe(const ImageOptions& options) {
  ASSIGN_OR_RETURN(const policy::Profile profile, LoadProfile(options));
  ImageRecipe recipe;
  recipe.profile = profile.name;
  std::vector<std::string> debian = options.packages;
  if (!profile.toolchain_package.empty()) {
    debian.insert(debian.begin(), profile.toolchain_package);
  }
  ASSIGN_OR_RETURN(recipe.debian, ReadPackageList(debian, PackageKind::kDebian));
  ASSIGN_OR_RETURN(recipe.pip, ReadPackageList(options.pip, PackageKind::kPip));
  ASSIGN_OR_RETURN(recipe.npm, ReadPackageList(options.npm, PackageKind::kNpm));
  recipe.mounts = MountSources(profile);
  recipe.format = options.format == "erofs" ? policy::ImageFormat::kErofs : policy::ImageFormat::kSquashfs;
  ASSIGN_OR_RETURN(recipe.suite, HostSuite());
  recipe.apt_sources = AptSources();
  if (recipe.apt_sources.empty()) {
    return absl::FailedPreconditionError("this host has no apt sources below /etc/apt");
  }
  return recipe;
}

std::string Now() {
  const time_t now = time(nullptr);
  std::tm parts{};
  std::array<char, 32> text{};
  gmtime_r(&now, &parts);
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts));
}

// Writes `text` to a new file beside `path`, then gives it that name.
absl::Status Publish(const std::string& from, const std::string& path, bool force) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, path.c_str(), force ? 0 : RENAME_NOREPLACE) != 0) {
    return errno == EEXIST ? absl::AlreadyExistsError(path + " is there already; --force replaces it")
                           : ErrnoStatus(errno, "rename to " + path);
  }
  return absl::OkStatus();
}

absl::Status PublishText(const std::string& text, const std::string& path, bool force) {
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());
  {
    ASSIGN_OR_RETURN(const UniqueFd file,
                     OpenFile(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        fchmod(file.get(), 0644) != 0 || fsync(file.get()) != 0) {
      const absl::Status status = ErrnoStatus(errno, "write " + temporary);
      unlink(temporary.c_str());
      return status;
    }
  }
  const absl::Status published = Publish(temporary, path, force);
  if (!published.ok()) {
    unlink(temporary.c_str());
  }
  return published;
}

std::string DirectoryOf(const std::string& path) {
  const std::string parent = fs::absolute(path).lexically_normal().parent_path();
  return parent.empty() ? "/" : parent;
}

std::string ManifestFile(const std::string& image) { return image + ".json"; }

// Where images are looked for by caissond nobody but root may write; better known before minutes of work than
// after.
absl::StatusOr<std::string> OutputDirectory(const ImageOptions& options) {
  std::string directory = options.output.empty() ? kImageDirectory : DirectoryOf(options.output);
  if (options.output.empty()) {
    std::error_code error;
    fs::create_directories(directory, error);
  }
  RETURN_IF_ERROR(policy::OpenTrustedDirectory(directory, policy::FileTrust::kRequireRootOwned).status());
  const std::string manifest = options.output.empty() ? "" : ManifestFile(options.output);
  for (const std::string& path : {options.output, manifest, options.write_profile}) {
    if (!path.empty() && !options.force && access(path.c_str(), F_OK) == 0) {
      return absl::AlreadyExistsError(path + " is there already; --force replaces it");
    }
  }
  return directory;
}

// A profile of another name than its file's would keep caissond from starting.
absl::Status CheckProfileFile(const ImageOptions& options, const ImageRecipe& recipe) {
  const fs::path file(options.write_profile);
  if (!options.write_profile.empty() &&
      (file.extension() != ".json" || !policy::IsProfileName(file.stem()))) {
    return absl::InvalidArgumentError("--write-profile " + Printable(options.write_profile) +
                                      ": must be NAME.json, NAME of a-z, 0-9 and '-'");
  }
  if (file.stem() == recipe.profile) {
    return absl::InvalidArgumentError("--write-profile " + Printable(options.write_profile) +
                                      ": is the name of the profile that it would extend");
  }
  return absl::OkStatus();
}

// The image at a temporary name becomes what was asked for, with its manifest; tells where, and with what
// digest.
absl::StatusOr<std::pair<std::string, std::string>> PublishImage(const ImageOptions& options,
                                                                 const ImageRecipe& recipe,
                                                                 const ImagePackages& packages,
                                                                 const std::string& temporary,
                                                                 const std::string& directory) {
  ImageFacts facts;
  {
    ASSIGN_OR_RETURN(const UniqueFd file, OpenFile(temporary, O_RDONLY | O_NOFOLLOW));
    if (fsync(file.get()) != 0) {
      return ErrnoStatus(errno, "fsync " + temporary);
    }
    ASSIGN_OR_RETURN(const policy::ImageDigest digest, policy::DigestOfFile(file.get()));
    facts.digest = policy::DigestText(digest);
  }
  facts.bytes = fs::file_size(temporary);
  facts.made_at = Now();
  facts.made_by = "caisson " CAISSON_VERSION;
  constexpr size_t kNameDigits = 12;
  const std::string hexadecimal = facts.digest.substr(facts.digest.find(':') + 1);
  const std::string path = options.output.empty()
                               ? directory + "/" + recipe.profile + "-" + hexadecimal.substr(0, kNameDigits) +
                                     "." + FormatName(recipe.format)
                               : directory + "/" + fs::path(options.output).filename().string();
  // The same content under a name made of its digest is no harm.
  const bool force = options.force || options.output.empty();
  RETURN_IF_ERROR(PublishText(ManifestText(recipe, packages, facts), ManifestFile(path), force));
  RETURN_IF_ERROR(Publish(temporary, path, force));
  SayOfBuild(path + ": " + std::to_string(facts.bytes >> 20U) + " MiB, " +
             std::to_string(packages.debian.size() + packages.pip.size() + packages.npm.size()) +
             " packages, " + facts.digest);
  return std::pair{path, facts.digest};
}

absl::Status BuildImage(const ImageOptions& options, const ImageRecipe& recipe) {
  umask(022);
  const HeldSignals held;
  RETURN_IF_ERROR(CheckProfileFile(options, recipe));
  ASSIGN_OR_RETURN(const std::string directory, OutputDirectory(options));
  const std::string temporary = directory + "/.caisson-image-" + std::to_string(getpid());
  struct Remover {
    const std::string& path;
    ~Remover() { unlink(path.c_str()); }
  } const remover{temporary};
  ASSIGN_OR_RETURN(const ImagePackages packages, BuildImageFile(recipe, temporary));
  ASSIGN_OR_RETURN(const auto image, PublishImage(options, recipe, packages, temporary, directory));
  if (options.write_profile.empty()) {
    std::fputs(ProfileText(recipe, recipe.profile + "-image", image.first, image.second).c_str(), stdout);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(
      PublishText(ProfileText(recipe, fs::path(options.write_profile).stem(), image.first, image.second),
                  options.write_profile, options.force));
  SayOfBuild(options.write_profile +
             " uses it; caissond reads profiles when it starts: systemctl restart caissond");
  return absl::OkStatus();
}

}  // namespace

int ImageBuildCommand(const ImageOptions& options) {
  const absl::StatusOr<ImageRecipe> recipe = MakeRecipe(options);
  if (!recipe.ok()) {
    SayOfBuild(Message(recipe.status()));
    return kExitService;
  }
  if (options.dry_run) {
    std::printf("%s\n", CommandText(DebianCommand(*recipe, "ROOT")).c_str());
    if (!recipe->pip.empty()) {
      std::printf("%s\n",
                  CommandText(PipCommand(*recipe, "ROOT/usr/local/lib/python3/dist-packages")).c_str());
    }
    if (!recipe->npm.empty()) {
      std::printf("%s\n", CommandText(NpmCommand(*recipe, "ROOT/usr/local")).c_str());
    }
    std::printf("%s\n", CommandText(PackCommand(recipe->format, "TREE", "FILE")).c_str());
    return kExitOk;
  }
  if (geteuid() != 0) {
    SayOfBuild("installing packages into a root needs root: sudo caisson image build " + recipe->profile);
    return kExitService;
  }
  if (const absl::Status status = BuildImage(options, *recipe); !status.ok()) {
    SayOfBuild(Message(status));
    return kExitService;
  }
  return kExitOk;
}

}  // namespace caisson::cli
