#include "cli/image_recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "cli/text.h"
#include "policy/toolchain.h"

namespace caisson::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kName = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
constexpr std::string_view kVersion = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+!-";
constexpr size_t kLongestName = 214;  // npm's bound
// Below the image's root, where Node finds them by the link /node_modules of the profile.
constexpr char kNodeModules[] = "usr/local/lib/node_modules";

bool IsOf(std::string_view text, std::string_view letters) {
  return !text.empty() && text.size() <= kLongestName &&
         text.find_first_not_of(letters) == std::string_view::npos;
}

// Begins with a letter or digit, so that it is neither an option nor a path.
bool IsName(std::string_view text, std::string_view letters) {
  return IsOf(text, letters) &&
         (kLower.find(text[0]) != std::string_view::npos || (text[0] >= 'A' && text[0] <= 'Z'));
}

bool IsPipPackage(std::string_view text) {
  const size_t equals = text.find("==");
  if (equals == std::string_view::npos) {
    return IsName(text, kName);
  }
  return IsName(text.substr(0, equals), kName) && IsName(text.substr(equals + 2), kVersion);
}

bool IsNpmPackage(std::string_view text) {
  if (text.starts_with('@')) {
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos || !IsName(text.substr(1, slash - 1), kName)) {
      return false;
    }
    text.remove_prefix(slash + 1);
  }
  const size_t at = text.find('@');
  return at == std::string_view::npos
             ? IsName(text, kName)
             : IsName(text.substr(0, at), kName) && IsName(text.substr(at + 1), kVersion);
}

bool IsPackage(const std::string& text, PackageKind kind) {
  switch (kind) {
    case PackageKind::kDebian:
      return policy::IsPackageName(text);
    case PackageKind::kPip:
      return IsPipPackage(text);
    case PackageKind::kNpm:
      break;
  }
  return IsNpmPackage(text);
}

const char* KindText(PackageKind kind) {
  switch (kind) {
    case PackageKind::kDebian:
      return "a Debian package";
    case PackageKind::kPip:
      return "a Python package, with ==VERSION or without";
    case PackageKind::kNpm:
      break;
  }
  return "an npm package, with @VERSION or without";
}

std::string Joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    line += (line.empty() ? "" : ",") + word;
  }
  return line;
}

std::string Text(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadPackageList(const std::vector<std::string>& lists,
                                                         PackageKind kind) {
  std::vector<std::string> packages;
  for (const std::string& list : lists) {
    for (size_t start = 0; start <= list.size();) {
      const size_t end = std::min(list.find(',', start), list.size());
      const std::string package = list.substr(start, end - start);
      start = end + 1;
      if (!IsPackage(package, kind)) {
        return absl::InvalidArgumentError("'" + Printable(package) + "' is no name of " + KindText(kind));
      }
      if (std::find(packages.begin(), packages.end(), package) == packages.end()) {
        packages.push_back(package);
      }
    }
  }
  return packages;
}

std::vector<std::string> MountSources(const policy::Profile& profile) {
  std::set<std::string> sources;
  const auto add = [&](const policy::StepSection& step) {
    for (const policy::BindMount& bind : step.binds) {
      sources.insert(bind.source);
    }
  };
  if (profile.compile) {
    add(*profile.compile);
  }
  add(profile.run);
  return {sources.begin(), sources.end()};
}

const char* FormatName(policy::ImageFormat format) {
  return format == policy::ImageFormat::kErofs ? "erofs" : "squashfs";
}

std::vector<std::string> DebianCommand(const ImageRecipe& recipe, const std::string& root) {
  // With the variant custom every package is fetched from outside and no apt is needed inside.
  std::vector<std::string> command = {"/usr/bin/mmdebstrap", "--mode=root", "--variant=custom",
                                      "--include=?essential"};
  if (!recipe.debian.empty()) {
    command.push_back("--include=" + Joined(recipe.debian));
  }
  for (const char* option : {"path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright",
                             "path-exclude=/usr/share/info/*", "path-exclude=/usr/share/locale/*",
                             "path-exclude=/usr/share/man/*"}) {
    command.push_back(std::string("--dpkgopt=") + option);
  }
  command.insert(command.end(), {recipe.suite, root});
  command.insert(command.end(), recipe.apt_sources.begin(), recipe.apt_sources.end());
  return command;
}

std::vector<std::string> PipCommand(const ImageRecipe& recipe, const std::string& target) {
  std::vector<std::string> command = {"/usr/bin/python3",
                                      "-m",
                                      "pip",
                                      "install",
                                      "--no-input",
                                      "--root-user-action=ignore",
                                      "--no-cache-dir",
                                      "--only-binary=:all:",
                                      "--no-compile",
                                      "--target=" + target,
                                      "--"};
  command.insert(command.end(), recipe.pip.begin(), recipe.pip.end());
  return command;
}

std::vector<std::string> PipListCommand(const std::string& target) {
  return {"/usr/bin/python3", "-m", "pip", "list", "--path=" + target, "--format=freeze"};
}

std::vector<std::string> NpmCommand(const ImageRecipe& recipe, const std::string& prefix) {
  std::vector<std::string> command = {"/usr/bin/npm",     "install",    "--global",  "--prefix=" + prefix,
                                      "--ignore-scripts", "--no-audit", "--no-fund", "--"};
  command.insert(command.end(), recipe.npm.begin(), recipe.npm.end());
  return command;
}

std::vector<std::string> NpmListCommand(const std::string& prefix) {
  return {"/usr/bin/npm", "ls", "--global", "--prefix=" + prefix, "--all", "--parseable", "--long"};
}

std::vector<std::string> PackCommand(policy::ImageFormat format, const std::string& tree,
                                     const std::string& file) {
  if (format == policy::ImageFormat::kErofs) {
    return {"/usr/bin/mkfs.erofs", "-zlz4", "--all-root", "-x-1", "--quiet", file, tree};
  }
  // Level 6 packs in a fifth of the time of 15, the default, into a twentieth more.
  return {"/usr/bin/mksquashfs", tree, file,     "-noappend",   "-all-root", "-no-xattrs", "-comp", "zstd",
          "-Xcompression-level", "6",  "-quiet", "-no-progress"};
}

std::map<std::string, std::string> ParsePackageLines(const std::string& text, const std::string& separator) {
  std::map<std::string, std::string> packages;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    start = end + 1;
    const size_t at = line.find(separator);
    if (at != std::string::npos && at > 0) {
      packages[line.substr(0, at)] = line.substr(at + separator.size());
    }
  }
  return packages;
}

std::map<std::string, std::string> ParseNpmList(const std::string& text) {
  std::map<std::string, std::string> packages;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    start = end + 1;
    const size_t name = line.find(':');
    const std::string package = name == std::string::npos ? "" : line.substr(name + 1);
    const size_t at = package.find('@', 1);  // that of a scope comes first
    if (at != std::string::npos) {
      packages[package.substr(0, at)] = package.substr(at + 1, package.find(':', at) - at - 1);
    }
  }
  return packages;
}

std::string ManifestText(const ImageRecipe& recipe, const ImagePackages& packages, const ImageFacts& facts) {
  Json document;
  document["schema_version"] = 1;
  document["digest"] = facts.digest;
  document["bytes"] = facts.bytes;
  document["format"] = FormatName(recipe.format);
  document["profile"] = recipe.profile;
  document["holds"] = recipe.mounts;
  document["made"] = {{"at", facts.made_at},
                      {"by", facts.made_by},
                      {"suite", recipe.suite},
                      {"apt_sources", recipe.apt_sources},
                      {"asked_for", {{"debian", recipe.debian}, {"pip", recipe.pip}, {"npm", recipe.npm}}}};
  document["packages"] = {{"debian", packages.debian}, {"pip", packages.pip}, {"npm", packages.npm}};
  return Text(document);
}

std::string ProfileText(const ImageRecipe& recipe, const std::string& name, const std::string& file,
                        const std::string& digest) {
  Json document;
  document["$schema"] = "./schema.json";
  document["schema_version"] = 1;
  document["name"] = name;
  document["extends"] = recipe.profile;
  document["root"] = {{"image", file}, {"digest", digest}};
  if (!recipe.npm.empty()) {
    const Json link = {{"path", "/node_modules"}, {"target", kNodeModules}};
    document["steps"] = {{"all", {{"symlinks", Json::array({link})}}}};
  }
  return Text(document);
}

}  // namespace caisson::cli
