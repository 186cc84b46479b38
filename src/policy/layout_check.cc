#include "policy/layout_check.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace caisson::policy {
namespace {

constexpr size_t kMostEntries = 128;  // mounts, symlinks and files together
constexpr size_t kMostPathBytes = 1024;
constexpr size_t kMostFileBytes = 65'536;
constexpr std::array<std::string_view, 4> kMadeByCaisson = {"/box", "/tmp", "/dev", "/proc"};
constexpr std::string_view kHiddenPrefix = "/.caisson";

bool IsBelow(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

bool IsReserved(const std::string& path) {
  return path.starts_with(kHiddenPrefix) ||
         std::any_of(kMadeByCaisson.begin(), kMadeByCaisson.end(),
                     [&](std::string_view own) { return path == own || IsBelow(path, own); });
}

// Every path the step makes, with where it was written.
using Entries = std::map<std::string, Position>;

void AddEntry(const std::string& path, Position at, const char* key, Entries& entries,
              std::vector<std::string>& complaints) {
  at.key += std::string(".") + key;
  if (!IsPlainAbsolutePath(path)) {
    at.Complain(complaints, "'" + path + "' must be an absolute path without '.', '..' and needless slashes");
    return;
  }
  if (IsReserved(path)) {
    at.Complain(complaints, path + " belongs to Caisson");
    return;
  }
  const auto [earlier, added] = entries.emplace(path, at);
  if (!added) {
    at.Complain(complaints, path + " is already made at " + earlier->second.Where());
  }
}

void CheckNesting(const Entries& entries, std::vector<std::string>& complaints) {
  for (const auto& [path, at] : entries) {
    for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto parent = entries.find(path.substr(0, slash));
      if (parent != entries.end()) {
        at.Complain(complaints,
                    path + " lies inside " + parent->first + ", made at " + parent->second.Where());
      }
    }
  }
}

}  // namespace

bool IsPlainAbsolutePath(const std::string& path) {
  if (path.size() < 2 || path.size() > kMostPathBytes || path[0] != '/') {
    return false;
  }
  size_t start = 1;
  while (start <= path.size()) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string_view part = std::string_view(path).substr(start, end - start);
    if (part.empty() || part == "." || part == "..") {
      return false;
    }
    start = end + 1;
  }
  return true;
}

void CheckLayout(const StepSource& step, std::vector<std::string>& complaints) {
  Entries entries;
  for (const Located<BindMount>& mount : step.mounts) {
    AddEntry(mount.value.target, mount.at, "target", entries, complaints);
    if (!IsPlainAbsolutePath(mount.value.source)) {
      mount.at.Complain(complaints, "source '" + mount.value.source + "' must be a plain absolute path");
    }
  }
  for (const Located<Symlink>& symlink : step.symlinks) {
    AddEntry(symlink.value.path, symlink.at, "path", entries, complaints);
    if (symlink.value.target.empty() || symlink.value.target.size() > kMostPathBytes) {
      symlink.at.Complain(complaints, "target must be 1 to " + std::to_string(kMostPathBytes) + " bytes");
    }
  }
  for (const Located<TextFile>& file : step.files) {
    AddEntry(file.value.path, file.at, "path", entries, complaints);
    if (file.value.content.size() > kMostFileBytes) {
      file.at.Complain(complaints, "content must be at most " + std::to_string(kMostFileBytes) + " bytes");
    }
  }
  CheckNesting(entries, complaints);
  if (entries.size() > kMostEntries) {
    entries.begin()->second.Complain(
        complaints, "more than " + std::to_string(kMostEntries) + " mounts, symlinks and files");
  }
}

}  // namespace caisson::policy
