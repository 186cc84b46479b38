#include "common/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/status.h"

namespace caisson {
namespace {

constexpr unsigned int kMfdNoexecSeal = 0x0008U;  // KERNEL(6.3): Debian 12's headers lack both.
constexpr unsigned int kMfdExec = 0x0010U;
// The page that holds a file's end may be a huge one.
constexpr uint64_t kBeyondTheEnd = uint64_t{2} << 20U;
constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

int CreateMemfd(const std::string& name, MemfdKind kind) {
  const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const unsigned int kind_flag = kind == MemfdKind::kExecutable ? kMfdExec : kMfdNoexecSeal;
  const int fd = memfd_create(name.c_str(), flags | kind_flag);
  if (fd >= 0 || errno != EINVAL) {
    return fd;
  }
  return memfd_create(name.c_str(), flags);
}

}  // namespace

absl::StatusOr<UniqueFd> MakeSealedMemfd(const std::string& name, std::span<const std::byte> bytes,
                                         MemfdKind kind) {
  UniqueFd fd(CreateMemfd(name, kind));
  if (!fd.valid()) {
    return ErrnoStatus(errno, "memfd_create " + name);
  }
  while (!bytes.empty()) {
    const ssize_t written = write(fd.get(), bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return ErrnoStatus(errno, "write memfd " + name);
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  if (fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) {
    return ErrnoStatus(errno, "seal memfd " + name);
  }
  return fd;
}

absl::Status CheckSealedMemfd(int fd, uint64_t max_bytes) {
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return absl::InvalidArgumentError("descriptor is not a fully sealed memfd");
  }
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    return ErrnoStatus(errno, "fstat memfd");
  }
  // Seals exist on memfds and on shmem files only; S_ISREG excludes nothing else, but costs nothing.
  if (!S_ISREG(info.st_mode) || info.st_size <= 0 || static_cast<uint64_t>(info.st_size) > max_bytes) {
    return absl::InvalidArgumentError("sealed memfd has a size out of range");
  }
  // fallocate(2) with FALLOC_FL_KEEP_SIZE, before the seals, allocates any number of pages beyond the end.
  constexpr uint64_t kBlock = 512;
  if (static_cast<uint64_t>(info.st_blocks) * kBlock > static_cast<uint64_t>(info.st_size) + kBeyondTheEnd) {
    return absl::InvalidArgumentError("sealed memfd has memory beyond its end");
  }
  return absl::OkStatus();
}

}  // namespace caisson
