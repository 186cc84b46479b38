#include "policy/trusted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iomanip>
#include <sstream>

#include "common/status.h"
#include "policy/json_document.h"

namespace caisson::policy {
namespace {

constexpr size_t kMaxFileBytes = 1U << 20U;

absl::Status Refuse(const std::string& shown, const char* kind, const std::string& reason) {
  return absl::InvalidArgumentError(Complaint(shown, 1, kind, reason));
}

absl::Status CheckOwnerAndMode(const struct stat& info, const std::string& shown, const char* kind) {
  if (info.st_uid != 0) {
    return Refuse(shown, kind, "belongs to uid " + std::to_string(info.st_uid) + ", must be root's");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    std::ostringstream mode;
    mode << std::oct << std::setw(4) << std::setfill('0') << (info.st_mode & 07777U);
    return Refuse(shown, kind, "mode " + mode.str() + " lets others write; take away with chmod go-w");
  }
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> OpenChecked(int directory, const std::string& name, const std::string& shown,
                                     int flags, FileTrust trust) {
  const bool want_directory = (flags & O_DIRECTORY) != 0;
  const char* kind = want_directory ? "directory" : "file";
  // O_NONBLOCK: a FIFO under this name must not hang the start.
  UniqueFd fd(openat(directory, name.c_str(), flags | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ELOOP) {
      return Refuse(shown, kind, "is a symbolic link");
    }
    return ErrnoStatus(errno, "open " + shown);
  }
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) {
    return ErrnoStatus(errno, "fstat " + shown);
  }
  if (!want_directory && !S_ISREG(info.st_mode)) {
    return Refuse(shown, kind, "is not a regular file");
  }
  if (trust == FileTrust::kRequireRootOwned) {
    RETURN_IF_ERROR(CheckOwnerAndMode(info, shown, kind));
  }
  return fd;
}

}  // namespace

absl::StatusOr<UniqueFd> OpenTrustedDirectory(const std::string& path, FileTrust trust) {
  return OpenChecked(AT_FDCWD, path, path, O_DIRECTORY, trust);
}

absl::StatusOr<UniqueFd> OpenTrustedFile(int directory, const std::string& name, const std::string& shown,
                                         FileTrust trust) {
  return OpenChecked(directory, name, shown, 0, trust);
}

absl::StatusOr<std::string> ReadTrustedFile(int directory, const std::string& name, const std::string& shown,
                                            FileTrust trust) {
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenChecked(directory, name, shown, 0, trust));
  std::string text;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return ErrnoStatus(errno, "read " + shown);
    }
    if (got == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<size_t>(got));
    if (text.size() > kMaxFileBytes) {
      return Refuse(shown, "file", "is larger than " + std::to_string(kMaxFileBytes) + " bytes");
    }
  }
}

}  // namespace caisson::policy
