#include "cli/token_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "cli/streams.h"
#include "common/files.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "policy/token_file.h"
#include "policy/trusted_file.h"

namespace caisson::cli {
namespace {

using Json = nlohmann::ordered_json;
using Change = std::function<absl::Status(Json& tokens)>;

constexpr char kSuffix[] = ".caisson-new";
constexpr char kLockSuffix[] = ".caisson-lock";
constexpr std::chrono::seconds kPatience{3};
constexpr std::chrono::milliseconds kRetry{20};

// A new file in the directory; gone again unless it was renamed.
class Draft {
 public:
  Draft(const UniqueFd& directory, std::string name) : directory_(directory), name_(std::move(name)) {}
  ~Draft() {
    if (file_.valid()) {
      unlinkat(directory_.get(), name_.c_str(), 0);
    }
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  absl::Status Write(const std::string& text, const struct stat* like) {
    unlinkat(directory_.get(), name_.c_str(), 0);  // what one that was killed left: the lock is ours
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    file_.reset(openat(directory_.get(), name_.c_str(), kFlags, 0600));
    if (!file_.valid()) {
      return ErrnoStatus(errno, "make " + name_);
    }
    // ORDER: the owner before the mode, which a chown may narrow.
    if (like != nullptr && (fchown(file_.get(), like->st_uid, like->st_gid) != 0 ||
                            fchmod(file_.get(), like->st_mode & 0777U) != 0)) {
      return ErrnoStatus(errno, "give " + name_ + " its owner and mode");
    }
    if (const int error = WriteAll(file_.get(), text); error != 0) {
      return ErrnoStatus(error, "write " + name_);
    }
    return fsync(file_.get()) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "fsync " + name_);
  }

  absl::Status Replace(const std::string& place) {
    if (renameat(directory_.get(), name_.c_str(), directory_.get(), place.c_str()) != 0) {
      return ErrnoStatus(errno, "rename " + name_);
    }
    file_.reset();
    return fsync(directory_.get()) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "fsync the directory");
  }

 private:
  const UniqueFd& directory_;
  const std::string name_;
  UniqueFd file_;
};

// The lock against another `caisson token`, opened. A file of its own, which nobody else can open: whoever
// may read a directory or a file may hold a lock on it.
absl::StatusOr<UniqueFd> OpenLock(const UniqueFd& directory, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  UniqueFd lock(openat(directory.get(), name.c_str(), kFlags, 0600));
  struct stat info {};
  struct stat place {};
  if (!lock.valid() || fstat(lock.get(), &info) != 0 || fstat(directory.get(), &place) != 0) {
    return ErrnoStatus(errno, "open " + name);
  }
  // The directory's owner may do with it what they like anyhow.
  if (!S_ISREG(info.st_mode) || (info.st_uid != geteuid() && info.st_uid != place.st_uid)) {
    return absl::FailedPreconditionError(name + ": must be a file of yours or of its directory's owner");
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::FailedPreconditionError(name + ": others may hold it: chmod go=");
  }
  return lock;
}

// Held until the descriptor is closed. The file stays: were it removed, two could hold a lock each. One that
// was stopped in the middle may hold it, so not for ever.
absl::StatusOr<UniqueFd> Lock(const UniqueFd& directory, const std::string& name) {
  ASSIGN_OR_RETURN(UniqueFd lock, OpenLock(directory, name));
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= end) {
      return ErrnoStatus(errno, "lock " + name + ", which another program holds");
    }
    std::this_thread::sleep_for(kRetry);
  }
  return lock;
}

absl::Status ChangeFile(const std::string& file, bool may_make, const Change& change) {
  const size_t slash = file.rfind('/');
  const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
  if (name.empty() || name == "." || name == "..") {
    return absl::InvalidArgumentError(file + ": is not a file's name");
  }
  ASSIGN_OR_RETURN(const UniqueFd directory, OpenFile(parent, O_RDONLY | O_DIRECTORY));
  struct stat info {};
  if (!may_make && fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoStatus(errno, "open " + file);  // and nothing is made, no lock either
  }
  ASSIGN_OR_RETURN(const UniqueFd lock, Lock(directory, name + kLockSuffix));
  const bool there = fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (!there && errno != ENOENT) {
    // Not a reason to put a new file with one token in the place of one that cannot be looked at.
    return ErrnoStatus(errno, "look at " + file);
  }
  Json document = {{"schema_version", 1}, {"tokens", Json::array()}};
  if (there || !may_make) {
    ASSIGN_OR_RETURN(const std::string text,
                     policy::ReadTrustedFile(directory.get(), name, file, policy::FileTrust::kAnyOwner));
    RETURN_IF_ERROR(policy::ParseTokens(text, file).status());
    document = Json::parse(text, nullptr, false);
  }
  RETURN_IF_ERROR(change(document["tokens"]));
  const std::string text = document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  RETURN_IF_ERROR(policy::ParseTokens(text, file).status());
  Draft draft(directory, name + kSuffix);
  RETURN_IF_ERROR(draft.Write(text, there ? &info : nullptr));
  return draft.Replace(name);
}

}  // namespace

absl::Status AddTokenEntry(const std::string& file, const std::string& entry) {
  return ChangeFile(file, true, [&entry](Json& tokens) {
    tokens.push_back(Json::parse(entry, nullptr, false));
    return absl::OkStatus();
  });
}

absl::Status RemoveTokenEntry(const std::string& file, const std::string& id) {
  return ChangeFile(file, false, [&](Json& tokens) -> absl::Status {
    for (auto token = tokens.begin(); token != tokens.end(); ++token) {
      if ((*token)["id"] == id) {
        tokens.erase(token);
        return absl::OkStatus();
      }
    }
    return absl::NotFoundError(file + ": no token has the id " + id);
  });
}

}  // namespace caisson::cli
