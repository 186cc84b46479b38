// Run by caissond as root at start. Input: an image whose digest is the profile's.
#include "orchestrator/image_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "common/files.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kMostEntries = 4'000'000;
constexpr int kMostDepth = 64;
constexpr uint64_t kMostBytesRead = 1ULL << 30U;
constexpr size_t kBufferBytes = 1U << 20U;

absl::Status Refuse(const std::string& path, const char* what) {
  return absl::FailedPreconditionError("the image holds " + path + ", " + what);
}

class TreeReader {
 public:
  absl::Status Directory(UniqueFd fd, const std::string& path, int depth) {
    if (depth > kMostDepth) {
      return Refuse(path, "deeper than any image may be");
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(fd.get()), closedir);
    if (stream == nullptr) {
      return ErrnoStatus(errno, "list " + path + " of the image");
    }
    const int directory = fd.release();  // the stream closes it
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): the stream is our own
      if (entry == nullptr) {
        return errno == 0 ? absl::OkStatus() : ErrnoStatus(errno, "list " + path + " of the image");
      }
      const std::string name = static_cast<const char*>(entry->d_name);
      if (name != "." && name != "..") {
        std::string below = path == "/" ? "" : path;
        below += "/";
        below += name;
        RETURN_IF_ERROR(Entry(directory, name, below, depth));
      }
    }
  }
  const ImageTree& tree() const { return tree_; }

 private:
  absl::Status Entry(int directory, const std::string& name, const std::string& path, int depth) {
    if (++entries_ > kMostEntries) {
      return Refuse(path, "and more entries than any image may have");
    }
    struct stat info {};
    if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return ErrnoStatus(errno, "stat " + path + " of the image");
    }
    if (S_ISLNK(info.st_mode)) {
      return absl::OkStatus();
    }
    if (S_ISDIR(info.st_mode)) {
      ASSIGN_OR_RETURN(UniqueFd below, OpenFileAt(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      return Directory(std::move(below), path, depth + 1);
    }
    if (!S_ISREG(info.st_mode)) {
      return Refuse(path, "which is no file, directory or link");
    }
    if ((info.st_mode & (S_ISUID | S_ISGID)) != 0) {
      return Refuse(path, "which is set-user-id or set-group-id");
    }
    ++tree_.files;
    return File(directory, name, path);
  }

  absl::Status File(int directory, const std::string& name, const std::string& path) {
    if (tree_.bytes_read >= kMostBytesRead) {
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const UniqueFd file, OpenFileAt(directory, name, O_RDONLY | O_NOFOLLOW));
    for (;;) {
      const ssize_t got = read(file.get(), buffer_.data(), buffer_.size());
      if (got < 0 && errno != EINTR) {
        return ErrnoStatus(errno, "read " + path + " of the image");
      }
      if (got == 0) {
        return absl::OkStatus();
      }
      tree_.bytes_read += static_cast<uint64_t>(std::max<ssize_t>(got, 0));
    }
  }

  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
  ImageTree tree_;
  uint64_t entries_ = 0;
};

}  // namespace

absl::StatusOr<ImageTree> ReadImageTree(int root) {
  TreeReader reader;
  ASSIGN_OR_RETURN(UniqueFd top, OpenFileAt(root, ".", O_RDONLY | O_DIRECTORY));
  RETURN_IF_ERROR(reader.Directory(std::move(top), "/", 0));
  return reader.tree();
}

}  // namespace caisson::orchestrator
