// Run as root, on a directory of root's own that nobody else can enter.
#include "cli/image_contents.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <system_error>

#include "common/files.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

absl::Status FsStatus(const std::error_code& error, const std::string& what) {
  return error ? ErrnoStatus(error.value(), what) : absl::OkStatus();
}

// The path of an open file.
absl::StatusOr<std::string> PathOf(const UniqueFd& fd) {
  std::array<char, PATH_MAX> path{};
  const ssize_t length =
      readlink(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), path.data(), path.size());
  if (length < 0) {
    return ErrnoStatus(errno, "find the path of a file");
  }
  return std::string(path.data(), static_cast<size_t>(length));
}

// Where `source` really lies in `root`, its last part not followed; "" if it is not there.
absl::StatusOr<std::string> RealPlace(const std::string& root, const UniqueFd& root_fd,
                                      const std::string& source) {
  const fs::path path(source);
  const absl::StatusOr<UniqueFd> parent =
      OpenInRoot(root_fd.get(), path.parent_path().string(), O_PATH | O_DIRECTORY);
  if (absl::IsNotFound(parent.status())) {
    return std::string();
  }
  RETURN_IF_ERROR(parent.status());
  ASSIGN_OR_RETURN(const std::string real, PathOf(*parent));
  if (real.rfind(root, 0) != 0) {
    return absl::FailedPreconditionError(source + " leads out of " + root);
  }
  const std::string place = real.substr(root.size()) + "/" + path.filename().string();
  std::error_code error;
  return fs::exists(fs::symlink_status(root + place, error)) ? place : std::string();
}

absl::Status Take(const std::string& root, const std::string& place, const std::string& tree) {
  std::error_code error;
  fs::create_directories(fs::path(tree + place).parent_path(), error);
  RETURN_IF_ERROR(FsStatus(error, "make a directory for " + place));
  fs::rename(root + place, tree + place, error);
  return FsStatus(error, "move " + place);
}

}  // namespace

absl::Status TakeContents(const std::string& root, const std::vector<std::string>& sources,
                          const std::string& tree) {
  ASSIGN_OR_RETURN(const UniqueFd root_fd, OpenFile(root, O_PATH | O_DIRECTORY));
  ASSIGN_OR_RETURN(const std::string real_root, PathOf(root_fd));
  // All are looked for before any is moved: afterwards the links that lead to them lead nowhere.
  std::vector<std::string> places = {kPackageDatabase};
  for (const std::string& source : sources) {
    ASSIGN_OR_RETURN(std::string place, RealPlace(real_root, root_fd, source));
    if (!place.empty()) {
      places.push_back(std::move(place));
    }
  }
  for (const char* link : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    std::error_code error;
    if (fs::is_symlink(fs::symlink_status(real_root + link, error))) {
      places.emplace_back(link);
    }
  }
  std::sort(places.begin(), places.end());  // directories before what lies in them
  for (const std::string& place : places) {
    std::error_code error;
    // What lies in a directory that was moved has been moved with it.
    if (fs::exists(fs::symlink_status(real_root + place, error))) {
      RETURN_IF_ERROR(Take(real_root, place, tree));
    }
  }
  return absl::OkStatus();
}

absl::Status StripContents(const std::string& tree) {
  std::error_code error;
  std::vector<fs::path> unwanted;
  for (fs::recursive_directory_iterator entry(tree, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::file_status status = entry->symlink_status(error);
    if (error) {
      break;
    }
    if (fs::is_symlink(status) || fs::is_directory(status)) {
      continue;
    }
    if (!fs::is_regular_file(status)) {
      unwanted.push_back(entry->path());
    } else if ((status.permissions() & (fs::perms::set_uid | fs::perms::set_gid)) != fs::perms::none) {
      fs::permissions(entry->path(), fs::perms::set_uid | fs::perms::set_gid, fs::perm_options::remove,
                      error);
    }
  }
  for (const fs::path& path : unwanted) {
    if (!error) {
      fs::remove(path, error);
    }
  }
  return FsStatus(error, "look through " + tree);
}

absl::StatusOr<std::string> FinalName(const std::string& root, const std::string& path) {
  ASSIGN_OR_RETURN(const UniqueFd root_fd, OpenFile(root, O_PATH | O_DIRECTORY));
  ASSIGN_OR_RETURN(const UniqueFd file, OpenInRoot(root_fd.get(), path, O_PATH));
  ASSIGN_OR_RETURN(const std::string real, PathOf(file));
  return real.substr(real.rfind('/') + 1);
}

}  // namespace caisson::cli
