// Runs as the user who called `caisson`. Untrusted: every path and every byte, which a sandboxed program
// chose, and the server, which passed them on.
#include "cli/output_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "cli/returned_files.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

constexpr mode_t kDirectoryMode = 0777;  // the user's umask decides

// One component at a time and never through a link, so that nobody can lead us away in between.
// An invalid descriptor and `error` when that fails.
UniqueFd OpenParent(int directory, std::string_view path, std::string_view& name, int& error) {
  UniqueFd parent(fcntl(directory, F_DUPFD_CLOEXEC, 0));
  while (parent.valid()) {
    const size_t slash = path.find('/');
    if (slash == std::string_view::npos) {
      name = path;
      return parent;
    }
    const std::string component(path.substr(0, slash));
    path.remove_prefix(slash + 1);
    if (mkdirat(parent.get(), component.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
      error = errno;
      return {};
    }
    parent.reset(openat(parent.get(), component.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  error = errno;
  return {};
}

}  // namespace

absl::StatusOr<OutputDirectory> OutputDirectory::Open(const std::string& path, Existing existing) {
  if (mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return absl::InvalidArgumentError(Message(ErrnoStatus(errno, "make the directory " + path)));
  }
  UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return absl::InvalidArgumentError(Message(ErrnoStatus(errno, "open the directory " + path)));
  }
  if (faccessat(directory.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    return absl::InvalidArgumentError(Message(ErrnoStatus(errno, "write into the directory " + path)));
  }
  return OutputDirectory(path, std::move(directory), existing);
}

OutputDirectory::~OutputDirectory() { DropIncomplete(); }

absl::Status OutputDirectory::Failed(int error, const std::string& what) const {
  std::string line = "write " + path_ + "/" + Printable(current_) + ": " + what;
  if (error == EEXIST) {
    line = path_ + "/" + Printable(current_) + " exists already; --force replaces it";
  } else if (error == ELOOP || error == ENOTDIR) {
    line += ": a link or a file is in the way";
  } else if (error != 0) {
    line += ": " + std::string(strerrordesc_np(error));
  }
  return absl::FailedPreconditionError(line);
}

absl::Status OutputDirectory::Accept(const v1::OutputFile& piece) {
  if (piece.path() != current_ || piece.offset() == 0) {
    DropIncomplete();
    current_ = piece.path();
    skipping_ = true;  // until it is open
    RETURN_IF_ERROR(Begin(piece));
    skipping_ = false;
  }
  if (skipping_) {
    return absl::OkStatus();
  }
  absl::Status status = Write(piece.data());
  if (status.ok() && left_bytes_ == 0) {
    status = Complete();
  }
  if (!status.ok()) {
    skipping_ = true;
    DropIncomplete();
  }
  return status;
}

absl::Status OutputDirectory::Begin(const v1::OutputFile& piece) {
  if (!IsSafeOutputPath(current_)) {
    return Failed(0, "the server sent a path that leads elsewhere");
  }
  std::string_view name;
  int error = 0;
  UniqueFd parent = OpenParent(directory_.get(), current_, name, error);
  if (!parent.valid()) {
    return Failed(error, "open its directory");
  }
  name_ = std::string(name);
  struct stat info {};
  if (existing_ == Existing::kKeep && fstatat(parent.get(), name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
    return Failed(EEXIST, "");  // said before anything is written; the rename at the end is what holds
  }
  absl::StatusOr<std::unique_ptr<UnfinishedFile>> file =
      UnfinishedFile::Create(std::move(parent), piece.executable());
  if (!file.ok()) {
    return Failed(0, Message(file.status()));
  }
  file_ = *std::move(file);
  left_bytes_ = piece.size_bytes();
  return absl::OkStatus();
}

absl::Status OutputDirectory::Write(std::string_view data) {
  if (data.size() > left_bytes_) {
    return Failed(0, "the server sent more than the file's size");
  }
  left_bytes_ -= data.size();
  while (!data.empty()) {
    const ssize_t count = write(file_->fd(), data.data(), data.size());
    if (count < 0 && errno != EINTR) {
      return Failed(errno, "write");
    }
    data.remove_prefix(count < 0 ? 0 : static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status OutputDirectory::Complete() {
  const unsigned int flags = existing_ == Existing::kKeep ? RENAME_NOREPLACE : 0;
  if (const int error = file_->Place(name_, flags); error != 0) {
    return Failed(error, "put it in its place");
  }
  file_.reset();
  return absl::OkStatus();
}

void OutputDirectory::DropIncomplete() { file_.reset(); }

}  // namespace caisson::cli
