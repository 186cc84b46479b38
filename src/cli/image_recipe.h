// What goes into an image, and the words for the programs that make it. Pure.
#ifndef CAISSON_CLI_IMAGE_RECIPE_H_
#define CAISSON_CLI_IMAGE_RECIPE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/image_file.h"
#include "policy/profile.h"

namespace caisson::cli {

struct ImageRecipe {
  std::string profile;
  std::vector<std::string> debian;       // packages besides the essential ones
  std::vector<std::string> pip;          // NAME or NAME==VERSION
  std::vector<std::string> npm;          // NAME or NAME@VERSION
  std::vector<std::string> mounts;       // what the profile shows of its root, and so the image holds
  std::string suite;                     // of Debian
  std::vector<std::string> apt_sources;  // the host's files
  policy::ImageFormat format = policy::ImageFormat::kSquashfs;
};

// By package, the versions that came.
struct ImagePackages {
  std::map<std::string, std::string> debian;
  std::map<std::string, std::string> pip;
  std::map<std::string, std::string> npm;
};

enum class PackageKind : uint8_t { kDebian, kPip, kNpm };

// "a,b", "c" → a, b, c, each once. kInvalidArgument names what is no package's name: a path, an address or an
// option would make the tool read, or execute, something else than what its registry holds.
absl::StatusOr<std::vector<std::string>> ReadPackageList(const std::vector<std::string>& lists,
                                                         PackageKind kind);

// The sources of the mounts of every step, each once, sorted.
std::vector<std::string> MountSources(const policy::Profile& profile);

const char* FormatName(policy::ImageFormat format);

// Fills the empty directory `root`. Only what Debian calls essential, `recipe.debian`, and what they depend
// on, without recommendations, manuals and translations.
std::vector<std::string> DebianCommand(const ImageRecipe& recipe, const std::string& root);
// Wheels only, and none of their code is executed.
std::vector<std::string> PipCommand(const ImageRecipe& recipe, const std::string& target);
std::vector<std::string> PipListCommand(const std::string& target);
// Without the packages' scripts.
std::vector<std::string> NpmCommand(const ImageRecipe& recipe, const std::string& prefix);
std::vector<std::string> NpmListCommand(const std::string& prefix);
// Everything root's, without extended attributes.
std::vector<std::string> PackCommand(policy::ImageFormat format, const std::string& tree,
                                     const std::string& file);

// "NAME VERSION" lines of dpkg-query; "NAME==VERSION" lines of pip.
std::map<std::string, std::string> ParsePackageLines(const std::string& text, const std::string& separator);

// Of `npm ls --parseable --long`: lines of "PATH:NAME@VERSION" and perhaps more.
std::map<std::string, std::string> ParseNpmList(const std::string& text);

struct ImageFacts {
  std::string digest;
  uint64_t bytes = 0;
  std::string made_at;  // RFC 3339
  std::string made_by;  // "caisson 0.1.0"
};
// The manifest, JSON: what is in the image, and how it was made.
std::string ManifestText(const ImageRecipe& recipe, const ImagePackages& packages, const ImageFacts& facts);
// A profile of the name that uses the image, JSON.
std::string ProfileText(const ImageRecipe& recipe, const std::string& name, const std::string& file,
                        const std::string& digest);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_IMAGE_RECIPE_H_
