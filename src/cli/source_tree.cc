#include "cli/source_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <utility>

#include "cli/ignore_rules.h"
#include "cli/text.h"
#include "common/files.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "common/utf8.h"

namespace caisson::cli {
namespace {

constexpr size_t kMaxIgnoreBytes = 1024UL * 1024;
// The deepest path a request may have; it also bounds how many directories are open at once.
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxNamed = 10;

// Follows links, but not out of `root`: neither by "..", nor an absolute path, nor /proc's magic links.
UniqueFd OpenBeneath(int root, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

std::string CannotBeRead(int error) { return "cannot be read (" + std::string(std::strerror(error)) + ")"; }

// Where an open file lies, without links; empty where the kernel does not say.
std::string PathOf(int file) {
  std::array<char, PATH_MAX> path{};
  const ssize_t bytes = readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path.data(), path.size());
  const bool whole = bytes > 0 && static_cast<size_t>(bytes) < path.size();
  return whole ? std::string(path.data(), static_cast<size_t>(bytes)) : std::string();
}

class TreeReader {
 public:
  TreeReader(int root, const IgnoreRules& rules, const SourceTreeBounds& bounds)
      : root_(root), rules_(rules), bounds_(bounds) {}

  // Everything below the open `directory`, whose path is `prefix` ("" or "a/b/").
  absl::Status Walk(UniqueFd directory, const std::string& prefix, size_t depth);
  absl::StatusOr<std::vector<SourceFile>> Take();

 private:
  absl::Status Visit(int directory, const std::string& name, const std::string& path, size_t depth);
  absl::Status Link(const std::string& path);
  bool IsLeftOut(int file) const;
  absl::Status Read(UniqueFd file, const std::string& path);
  void Refuse(const std::string& path, const std::string& why) {
    if (refusals_.size() < kMaxNamed) {
      refusals_.push_back(path + " " + why);
    }
    ++refused_;
  }

  const int root_;
  const IgnoreRules& rules_;
  const SourceTreeBounds bounds_;
  size_t bytes_ = 0;
  std::vector<SourceFile> files_;
  std::vector<std::string> refusals_;
  size_t refused_ = 0;
};

absl::StatusOr<std::vector<std::string>> SortedNames(UniqueFd directory, const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(directory.get()), closedir);
  if (stream == nullptr) {
    return absl::InvalidArgumentError(Message(ErrnoStatus(errno, "read " + path)));
  }
  (void)directory.release();  // closedir's now
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) {
      break;
    }
    const std::string name = entry->d_name;
    if (name != "." && name != "..") {
      names.push_back(name);
    }
  }
  if (errno != 0) {
    return absl::InvalidArgumentError(Message(ErrnoStatus(errno, "read " + path)));
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status TreeReader::Walk(UniqueFd directory, const std::string& prefix, size_t depth) {
  UniqueFd listed(openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listed.valid()) {
    Refuse(prefix, CannotBeRead(errno));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, SortedNames(std::move(listed), prefix));
  for (const std::string& name : names) {
    RETURN_IF_ERROR(Visit(directory.get(), name, prefix + name, depth));
  }
  return absl::OkStatus();
}

absl::Status TreeReader::Visit(int directory, const std::string& name, const std::string& path,
                               size_t depth) {
  struct stat info {};
  if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    Refuse(path, CannotBeRead(errno));
    return absl::OkStatus();
  }
  const bool is_directory = S_ISDIR(info.st_mode);
  if (rules_.Ignores(path, is_directory ? IgnoreRules::Kind::kDirectory : IgnoreRules::Kind::kFile)) {
    return absl::OkStatus();
  }
  if (S_ISLNK(info.st_mode)) {
    return Link(path);
  }
  if (!is_directory && !S_ISREG(info.st_mode)) {
    Refuse(path, "is neither a file nor a directory");
    return absl::OkStatus();
  }
  // It may have become something else meanwhile: neither is a link followed nor a FIFO waited for.
  UniqueFd opened(
      openat(directory, name.c_str(),
             O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (is_directory ? O_DIRECTORY : 0)));
  if (!opened.valid()) {
    Refuse(path, CannotBeRead(errno));
    return absl::OkStatus();
  }
  if (!is_directory) {
    return Read(std::move(opened), path);
  }
  if (depth + 1 >= kMaxDepth) {
    Refuse(path, "lies too deep");
    return absl::OkStatus();
  }
  return Walk(std::move(opened), path + "/", depth + 1);
}

absl::Status TreeReader::Link(const std::string& path) {
  UniqueFd target = OpenBeneath(root_, path);
  if (!target.valid()) {
    Refuse(path, errno == EXDEV ? "is a link that leads out of the directory"
                 : errno == ENXIO
                     ? "is a link to no ordinary file"
                     : "is a link that cannot be followed (" + std::string(std::strerror(errno)) + ")");
    return absl::OkStatus();
  }
  if (IsLeftOut(target.get())) {
    Refuse(path, "is a link to what is left out");
    return absl::OkStatus();
  }
  return Read(std::move(target), path);
}

// A link must not bring back what the rules keep from strangers: .git/config may hold the job's token. Where
// the kernel does not say what was opened, it counts as left out.
bool TreeReader::IsLeftOut(int file) const {
  const std::string top = PathOf(root_) + "/";
  const std::string opened = PathOf(file);
  if (top.size() == 1 || !opened.starts_with(top)) {
    return true;
  }
  const std::string path = opened.substr(top.size());
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (rules_.Ignores(path.substr(0, slash), IgnoreRules::Kind::kDirectory)) {
      return true;
    }
  }
  return rules_.Ignores(path, IgnoreRules::Kind::kFile);
}

absl::Status TreeReader::Read(UniqueFd file, const std::string& path) {
  struct stat info {};
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    Refuse(path, S_ISDIR(info.st_mode) ? "is a link to a directory" : "is a link to no ordinary file");
    return absl::OkStatus();
  }
  if (!IsValidUtf8(path)) {
    Refuse(path, "has a name that is not valid UTF-8");
    return absl::OkStatus();
  }
  if (files_.size() == bounds_.files) {
    return absl::ResourceExhaustedError("the directory has more than the " + std::to_string(bounds_.files) +
                                        " files a request may have; .caissonignore can leave some out");
  }
  absl::StatusOr<std::string> content = ReadOpenFile(file.get(), path, bounds_.bytes - bytes_);
  if (absl::IsOutOfRange(content.status())) {
    return absl::ResourceExhaustedError("the files up to " + path + " are larger than the " +
                                        BytesText(bounds_.bytes) +
                                        " a request may have; .caissonignore can leave some out");
  }
  if (!content.ok()) {
    Refuse(path, "cannot be read (" + Message(content.status()) + ")");
    return absl::OkStatus();
  }
  bytes_ += content->size();
  files_.push_back({path, *std::move(content), (info.st_mode & 0111U) != 0});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SourceFile>> TreeReader::Take() {
  if (refused_ == 0) {
    return std::move(files_);
  }
  if (refused_ > refusals_.size()) {
    refusals_.push_back(std::to_string(refused_ - refusals_.size()) + " more");
  }
  return absl::InvalidArgumentError("cannot be sent: " + JoinNames(refusals_) + "; " + kIgnoreFile +
                                    " can leave out what is not needed");
}

}  // namespace

absl::StatusOr<std::vector<SourceFile>> ReadSourceTree(const std::string& directory,
                                                       const SourceTreeBounds& bounds) {
  absl::StatusOr<UniqueFd> root = OpenFile(directory, O_RDONLY | O_DIRECTORY);
  if (!root.ok()) {
    return absl::InvalidArgumentError(Message(root.status()));
  }
  std::string rules;
  if (const UniqueFd ignore = OpenBeneath(root->get(), kIgnoreFile); ignore.valid()) {
    absl::StatusOr<std::string> text = ReadOpenFile(ignore.get(), kIgnoreFile, kMaxIgnoreBytes);
    if (!text.ok()) {
      return absl::InvalidArgumentError(Message(text.status()));
    }
    rules = *std::move(text);
  } else if (errno != ENOENT) {
    return absl::InvalidArgumentError(Message(ErrnoStatus(errno, std::string("open ") + kIgnoreFile)));
  }
  const IgnoreRules ignore_rules(rules);
  TreeReader reader(root->get(), ignore_rules, bounds);
  UniqueFd top(openat(root->get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top.valid()) {
    return absl::InvalidArgumentError(Message(ErrnoStatus(errno, "open " + directory)));
  }
  RETURN_IF_ERROR(reader.Walk(std::move(top), "", 0));
  return reader.Take();
}

}  // namespace caisson::cli
