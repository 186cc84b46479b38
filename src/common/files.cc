#include "common/files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "common/status.h"

namespace caisson {

absl::StatusOr<std::string> ReadOpenFile(int fd, const std::string& name, size_t max_bytes) {
  std::string text;
  size_t used = 0;
  for (;;) {
    if (used == text.size()) {
      text.resize(std::min(max_bytes + 1, std::max<size_t>(4096, text.size() * 2)));
    }
    const ssize_t got = read(fd, text.data() + used, text.size() - used);
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return ErrnoStatus(errno, "read " + name);
    }
    if (got == 0) {
      text.resize(used);
      return text;
    }
    used += static_cast<size_t>(got);
    if (used > max_bytes) {
      return absl::OutOfRangeError("read " + name + ": larger than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

absl::StatusOr<UniqueFd> OpenFileAt(int directory, const std::string& name, int flags, unsigned int mode) {
  UniqueFd fd(openat(directory, name.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) {
    return ErrnoStatus(errno, "open " + name);
  }
  return fd;
}

absl::StatusOr<UniqueFd> OpenFile(const std::string& path, int flags, unsigned int mode) {
  return OpenFileAt(AT_FDCWD, path, flags, mode);
}

absl::StatusOr<UniqueFd> OpenInRoot(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<__u64>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  UniqueFd fd(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
  if (!fd.valid()) {
    return ErrnoStatus(errno, "open " + path);
  }
  return fd;
}

absl::StatusOr<std::string> ReadFileAt(int directory, const std::string& name, size_t max_bytes) {
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenFileAt(directory, name, O_RDONLY));
  return ReadOpenFile(fd.get(), name, max_bytes);
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  return ReadFileAt(AT_FDCWD, path, max_bytes);
}

absl::Status WriteFileAt(int directory, const std::string& name, std::string_view text) {
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenFileAt(directory, name, O_WRONLY));
  const ssize_t written = write(fd.get(), text.data(), text.size());
  if (written < 0) {
    return ErrnoStatus(errno, "write " + name);
  }
  if (static_cast<size_t>(written) != text.size()) {
    return absl::DataLossError("write " + name + ": only " + std::to_string(written) + " bytes were taken");
  }
  return absl::OkStatus();
}

absl::Status WriteFile(const std::string& path, std::string_view text) {
  return WriteFileAt(AT_FDCWD, path, text);
}

}  // namespace caisson
