// Run as root. Package tools run in mount namespaces of their own, with an environment of a few named
// variables.
#include "cli/image_builder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include "cli/child_program.h"
#include "cli/image_contents.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kWorkPlace[] = "/var/tmp";

// Proxies, certificates and mirrors, as the caller has them; nothing else.
std::vector<std::string> ToolEnvironment(const std::string& home) {
  constexpr std::array<std::string_view, 5> kNames = {
      "SSL_CERT_FILE=", "SSL_CERT_DIR=", "REQUESTS_CA_BUNDLE=", "NODE_EXTRA_CA_CERTS=", "SOURCE_DATE_EPOCH="};
  std::vector<std::string> environment = {"LC_ALL=C.UTF-8", "HOME=" + home, "TMPDIR=" + home,
                                          "PIP_DISABLE_PIP_VERSION_CHECK=1"};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::string_view name = text.substr(0, text.find('='));
    const bool wanted = name.ends_with("_proxy") || name.ends_with("_PROXY") || name.starts_with("PIP_") ||
                        name.starts_with("npm_config_") ||
                        std::any_of(kNames.begin(), kNames.end(),
                                    [&](std::string_view known) { return text.starts_with(known); });
    if (wanted) {
      environment.emplace_back(text);
    }
  }
  return environment;
}

// A directory of root's that nobody else can enter, gone at the end.
class WorkDirectory {
 public:
  static absl::StatusOr<std::string> Make() {
    std::string path = std::string(kWorkPlace) + "/caisson-image-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      return ErrnoStatus(errno, "make a directory in " + std::string(kWorkPlace));
    }
    return path;
  }
  explicit WorkDirectory(std::string path) : path_(std::move(path)) {}
  // Nothing is mounted in it: whatever mounts runs in a mount namespace of its own, which has ended.
  ~WorkDirectory() {
    std::error_code error;
    fs::remove_all(path_, error);
    if (error) {
      SayOfBuild("remove " + path_ + ": " + error.message());
    }
  }
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  std::string Below(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class Builder {
 public:
  Builder(const ImageRecipe& recipe, const WorkDirectory& work)
      : recipe_(recipe),
        root_(work.Below("root")),
        tree_(work.Below("tree")),
        environment_(ToolEnvironment(work.Below("home"))) {
    std::error_code error;  // a directory that is missing is an error of the first tool that needs it
    fs::create_directory(work.Below("home"), error);
    fs::create_directory(root_, error);
    fs::create_directory(tree_, error);
  }

  // Makes `file`, mode 0644.
  absl::StatusOr<ImagePackages> Build(const std::string& file) {
    RETURN_IF_ERROR(
        Run(DebianCommand(recipe_, root_), "are the package lists reachable, and the names right?"));
    ImagePackages packages;
    std::string text;
    RETURN_IF_ERROR(Run({"/usr/bin/dpkg-query", "--admindir=" + root_ + "/var/lib/dpkg", "--show",
                         "--showformat=${Package} ${Version}\\n"},
                        "", &text));
    packages.debian = ParsePackageLines(text, " ");
    if (!recipe_.pip.empty()) {
      ASSIGN_OR_RETURN(packages.pip, InstallPip());
    }
    if (!recipe_.npm.empty()) {
      ASSIGN_OR_RETURN(packages.npm, InstallNpm());
    }
    RETURN_IF_ERROR(TakeContents(root_, recipe_.mounts, tree_));
    RETURN_IF_ERROR(StripContents(tree_));
    RETURN_IF_ERROR(Run(PackCommand(recipe_.format, tree_, file), ""));
    if (chmod(file.c_str(), 0644) != 0) {
      return ErrnoStatus(errno, "chmod " + file);
    }
    return packages;
  }

 private:
  absl::Status Run(const std::vector<std::string>& command, const std::string& advice,
                   std::string* output = nullptr, bool inside = false) {
    SayOfBuild(CommandText(command));
    ChildProgram program;
    program.command = command;
    program.environment = environment_;
    program.root = inside ? root_ : "";
    program.private_mounts = true;
    program.output_to = ChildOutput::kStandardError;
    program.output = output;
    ASSIGN_OR_RETURN(const int code, RunToItsEnd(program));
    if (code != 0) {
      return absl::UnavailableError(command.front() + " exited with " + std::to_string(code) +
                                    (advice.empty() ? "" : "; " + advice));
    }
    return absl::OkStatus();
  }

  // Wheels are for one version of Python, and pip here asks for those of its own.
  absl::StatusOr<std::map<std::string, std::string>> InstallPip() {
    const absl::StatusOr<std::string> inside = FinalName(root_, "/usr/bin/python3");
    const absl::StatusOr<std::string> outside = FinalName("/", "/usr/bin/python3");
    if (!inside.ok() || !outside.ok() || *inside != *outside) {
      return absl::FailedPreconditionError(
          "--pip needs the same Python in the image as on this host: there it is " +
          (inside.ok() ? *inside : "missing") + ", here " + (outside.ok() ? *outside : "missing"));
    }
    const std::string modules = "/usr/local/lib/" + *inside + "/dist-packages";
    RETURN_IF_ERROR(Run(PipCommand(recipe_, root_ + modules),
                        "is python3-pip installed here, and is there a wheel for each package?"));
    // By the image's own Python and with the image's paths; compiling executes nothing.
    RETURN_IF_ERROR(Run({"/usr/bin/python3", "-m", "compileall", "-q", modules}, "", nullptr, true));
    std::string text;
    RETURN_IF_ERROR(Run(PipListCommand(root_ + modules), "", &text));
    return ParsePackageLines(text, "==");
  }

  absl::StatusOr<std::map<std::string, std::string>> InstallNpm() {
    const std::string prefix = root_ + "/usr/local";
    RETURN_IF_ERROR(Run(NpmCommand(recipe_, prefix), "is npm installed here?"));
    std::string text;
    RETURN_IF_ERROR(Run(NpmListCommand(prefix), "", &text));
    return ParseNpmList(text);
  }

  const ImageRecipe& recipe_;
  std::string root_;
  std::string tree_;
  std::vector<std::string> environment_;
};

}  // namespace

void SayOfBuild(const std::string& line) { std::fprintf(stderr, "caisson: image build: %s\n", line.c_str()); }

std::string CommandText(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

absl::StatusOr<ImagePackages> BuildImageFile(const ImageRecipe& recipe, const std::string& file) {
  ASSIGN_OR_RETURN(std::string path, WorkDirectory::Make());
  const WorkDirectory work(std::move(path));
  return Builder(recipe, work).Build(file);
}

}  // namespace caisson::cli
