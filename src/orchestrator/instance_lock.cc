// Run by caissond at start, as root. The state directory is root's own; its files are trusted like the
// configuration.
#include "orchestrator/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <sstream>

#include "common/files.h"
#include "common/status.h"

namespace caisson::orchestrator {
namespace {

// FNV-1a: a short name that is the same at every start. Not a secret and not a security boundary.
std::string InstanceName(const std::string& state_dir) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : state_dir) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  std::array<char, 17> digits{};
  static_cast<void>(
      std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash)));
  return std::string("caisson-") + digits.data();
}

}  // namespace

absl::Status EnsureRootsDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "make directory " + path);
  }
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "stat directory " + path);
  }
  if (!S_ISDIR(info.st_mode) || info.st_uid != 0 || (info.st_mode & 022U) != 0) {
    return absl::FailedPreconditionError("directory " + path +
                                         ": must be a directory of root that nobody else may write to");
  }
  return absl::OkStatus();
}

InstanceLock::InstanceLock(std::string state_dir, UniqueFd lock)
    : state_dir_(std::move(state_dir)), instance_(InstanceName(state_dir_)), lock_(std::move(lock)) {}

absl::StatusOr<InstanceLock> InstanceLock::Acquire(const std::string& state_dir) {
  RETURN_IF_ERROR(EnsureRootsDirectory(state_dir));
  ASSIGN_OR_RETURN(UniqueFd lock, OpenFile(state_dir + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return ErrnoStatus(errno, "lock " + state_dir);
    }
    const absl::StatusOr<std::string> holder = ReadFile(state_dir + "/lock");
    const std::string pid =
        holder.ok() && !holder->empty() ? holder->substr(0, holder->find('\n')) : "unknown";
    return absl::FailedPreconditionError("state directory " + state_dir +
                                         " is held by another caissond, process " + pid +
                                         ": stop it, or give this one a state_dir of its own");
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(lock.get(), 0) != 0 || pwrite(lock.get(), pid.data(), pid.size(), 0) < 0) {
    return ErrnoStatus(errno, "write " + state_dir + "/lock");
  }
  return InstanceLock(state_dir, std::move(lock));
}

absl::StatusOr<std::vector<std::string>> InstanceLock::RecordedDirectories() const {
  std::vector<std::string> directories;
  const absl::StatusOr<std::string> text = ReadFile(state_dir_ + "/cgroups");
  if (absl::IsNotFound(text.status())) {
    return directories;
  }
  RETURN_IF_ERROR(text.status());
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) {
      directories.push_back(line);
    }
  }
  return directories;
}

absl::Status InstanceLock::RecordDirectories(const std::vector<std::string>& directories) const {
  std::string text;
  for (const std::string& directory : directories) {
    text += directory + "\n";
  }
  // Written aside and renamed: a crash leaves the old record or the new one, never half of one.
  const std::string path = state_dir_ + "/cgroups";
  const std::string aside = path + ".new";
  {
    ASSIGN_OR_RETURN(const UniqueFd file, OpenFile(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      return ErrnoStatus(errno, "write " + aside);
    }
  }
  if (rename(aside.c_str(), path.c_str()) != 0) {
    return ErrnoStatus(errno, "rename " + aside);
  }
  return absl::OkStatus();
}

absl::Status InstanceLock::ForgetDirectories() const {
  if (unlink((state_dir_ + "/cgroups").c_str()) != 0 && errno != ENOENT) {
    return ErrnoStatus(errno, "unlink " + state_dir_ + "/cgroups");
  }
  return absl::OkStatus();
}

}  // namespace caisson::orchestrator
