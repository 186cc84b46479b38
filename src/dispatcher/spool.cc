#include "dispatcher/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <utility>

#include "common/files.h"
#include "common/status.h"

namespace caisson::dispatcher {
namespace {

constexpr int kOpenFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
constexpr mode_t kMode = 0600;

// "<32 hex digits>.<part>"
std::string PartName(const RunId& run, size_t part) { return RunIdText(run) + "." + std::to_string(part); }

bool IsNoRoom(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

absl::Status IoStatus(int error, const std::string& what) {
  return IsNoRoom(error) ? absl::ResourceExhaustedError(what + ": no room on the disk")
                         : ErrnoStatus(error, what);
}

}  // namespace

absl::Status Spool::CreatePart(const std::string& name, uint64_t room) {
  // No O_EXCL: nobody else makes files here, and a try that was rolled back may have left this one.
  const UniqueFd file(openat(directory_.get(), name.c_str(), kOpenFlags | O_CREAT, kMode));
  if (!file.valid()) {
    return IoStatus(errno, "make a spool file");
  }
  if (fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(room)) != 0) {
    // Where the file system cannot promise room, what is written may fail later, and the run says so then.
    return errno == EOPNOTSUPP ? absl::OkStatus() : IoStatus(errno, "take room for a spool file");
  }
  return absl::OkStatus();
}

absl::Status Spool::Create(const RunId& run, const SpoolSizes& room) {
  for (size_t part = 0; part < kSpoolParts; ++part) {
    if (room.at(part) == 0) {
      continue;
    }
    if (absl::Status status = CreatePart(PartName(run, part), room.at(part)); !status.ok()) {
      Remove(run);
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Spool::Write(const RunId& run, SpoolPart part, uint64_t offset, std::string_view bytes) {
  const UniqueFd file(openat(directory_.get(), PartName(run, static_cast<size_t>(part)).c_str(), kOpenFlags));
  if (!file.valid()) {
    return ErrnoStatus(errno, "open a spool file");
  }
  while (!bytes.empty()) {
    const ssize_t wrote = pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      return IoStatus(wrote < 0 ? errno : EIO, "write to a spool file");
    }
    bytes.remove_prefix(static_cast<size_t>(wrote));
    offset += static_cast<uint64_t>(wrote);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Spool::Read(const RunId& run, SpoolPart part, uint64_t offset,
                                        size_t most) const {
  const UniqueFd file(openat(directory_.get(), PartName(run, static_cast<size_t>(part)).c_str(),
                             O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) {
    return errno == ENOENT ? absl::NotFoundError("no such spool file")
                           : ErrnoStatus(errno, "open a spool file");
  }
  std::string bytes(most, '\0');
  size_t have = 0;
  while (have < most) {
    const ssize_t got =
        pread(file.get(), bytes.data() + have, most - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return ErrnoStatus(errno, "read a spool file");
    }
    if (got == 0) {
      break;
    }
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

absl::StatusOr<SpoolSizes> Spool::Sizes(const RunId& run) const {
  SpoolSizes sizes{};
  bool any = false;
  for (size_t part = 0; part < kSpoolParts; ++part) {
    struct stat info {};
    if (fstatat(directory_.get(), PartName(run, part).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      any = true;
      sizes.at(part) = static_cast<uint64_t>(std::max<off_t>(info.st_size, 0));
    } else if (errno != ENOENT) {
      return ErrnoStatus(errno, "look at a spool file");
    }
  }
  return any ? absl::StatusOr<SpoolSizes>(sizes) : absl::NotFoundError("no spool file of the run");
}

absl::Status Spool::Settle(const RunId& run) {
  for (size_t part = 0; part < kSpoolParts; ++part) {
    const UniqueFd file(openat(directory_.get(), PartName(run, part).c_str(), kOpenFlags));
    if (!file.valid()) {
      if (errno == ENOENT) {
        continue;
      }
      return ErrnoStatus(errno, "open a spool file");
    }
    struct stat info {};
    // Cutting a file to the size it has frees what was taken beyond it.
    if (fstat(file.get(), &info) != 0 || ftruncate(file.get(), info.st_size) != 0) {
      return ErrnoStatus(errno, "give back room of a spool file");
    }
  }
  return absl::OkStatus();
}

void Spool::Remove(const RunId& run) {
  for (size_t part = 0; part < kSpoolParts; ++part) {
    // What cannot be removed now is nobody's at the next start, and goes then.
    static_cast<void>(unlinkat(directory_.get(), PartName(run, part).c_str(), 0));
  }
}

absl::StatusOr<std::vector<RunId>> Spool::Runs() const {
  ASSIGN_OR_RETURN(UniqueFd again, OpenFileAt(directory_.get(), ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(again.get()), &closedir);
  if (entries == nullptr) {
    return ErrnoStatus(errno, "read the spool directory");
  }
  static_cast<void>(again.release());  // closedir's now
  std::set<RunId> runs;
  errno = 0;
  for (const dirent* entry = readdir(entries.get()); entry != nullptr;  // NOLINT(concurrency-mt-unsafe)
       entry = readdir(entries.get())) {                                // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = entry->d_name;
    if (const std::optional<RunId> run = ParseRunId(name.substr(0, name.find('.'))); run.has_value()) {
      runs.insert(*run);
    }
  }
  if (errno != 0) {
    return ErrnoStatus(errno, "read the spool directory");
  }
  return std::vector<RunId>(runs.begin(), runs.end());
}

}  // namespace caisson::dispatcher
