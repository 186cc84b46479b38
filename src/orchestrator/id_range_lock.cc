// Run by caissond at start, as root.
#include "orchestrator/id_range_lock.h"

#include <fcntl.h>

#include <cerrno>

#include "common/files.h"
#include "common/status.h"
#include "orchestrator/instance_lock.h"

namespace caisson::orchestrator {
namespace {

std::string Range(uint64_t first, uint64_t count) {
  return std::to_string(first) + "+" + std::to_string(count);
}

}  // namespace

// A byte of the file stands for an id: the kernel finds overlaps (fcntl(2), "Open file description locks").
absl::StatusOr<UniqueFd> LockIdRange(uint32_t first, uint32_t count, const std::string& directory) {
  RETURN_IF_ERROR(EnsureRootsDirectory(directory));
  const std::string path = directory + "/ids";
  ASSIGN_OR_RETURN(UniqueFd file, OpenFile(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = first;
  lock.l_len = count;
  struct flock other = lock;
  if (fcntl(file.get(), F_OFD_SETLK, &lock) == 0) {
    return file;
  }
  if (errno != EAGAIN && errno != EACCES) {
    return ErrnoStatus(errno, "lock ids in " + path);
  }
  std::string which;
  if (fcntl(file.get(), F_OFD_GETLK, &other) == 0 && other.l_type != F_UNLCK) {
    which = ", " + Range(static_cast<uint64_t>(other.l_start), static_cast<uint64_t>(other.l_len));
  }
  return absl::FailedPreconditionError("ids " + Range(first, count) +
                                       " are in part those of another caissond" + which +
                                       ": stop it, or give this one an id_first of its own");
}

}  // namespace caisson::orchestrator
