// Runs as the user who called `caisson`. The directory is the user's; what is written, a hostile program's.
#include "cli/unfinished_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <utility>

#include "common/status.h"

namespace caisson::cli {
namespace {

constexpr std::chrono::milliseconds kPatience{500};

// There is one such file, and it must be removed from wherever the program ends.
std::timed_mutex g_mutex;
const UnfinishedFile* g_unfinished = nullptr;  // guarded by g_mutex

absl::StatusOr<std::string> NewName() {
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    return ErrnoStatus(errno, "getrandom");
  }
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), ".caisson-%016llx", static_cast<unsigned long long>(random));
  return std::string(name.data());
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnfinishedFile>> UnfinishedFile::Create(UniqueFd parent, bool executable) {
  ASSIGN_OR_RETURN(std::string name, NewName());
  std::unique_ptr<UnfinishedFile> made(new UnfinishedFile(std::move(parent), ""));
  const std::lock_guard<std::timed_mutex> lock(g_mutex);
  CAISSON_CHECK(g_unfinished == nullptr);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  made->file_.reset(openat(made->parent_.get(), name.c_str(), kFlags, executable ? 0777 : 0666));
  if (!made->file_.valid()) {
    return ErrnoStatus(errno, "create it");
  }
  made->name_ = std::move(name);
  g_unfinished = made.get();
  return made;
}

UnfinishedFile::~UnfinishedFile() {
  if (name_.empty()) {
    return;
  }
  const std::lock_guard<std::timed_mutex> lock(g_mutex);
  Remove();
  g_unfinished = nullptr;
}

void UnfinishedFile::Remove() const { static_cast<void>(unlinkat(parent_.get(), name_.c_str(), 0)); }

int UnfinishedFile::Place(const std::string& name, unsigned int flags) {
  if (close(file_.release()) != 0) {
    return errno;
  }
  const std::lock_guard<std::timed_mutex> lock(g_mutex);
  if (renameat2(parent_.get(), name_.c_str(), parent_.get(), name.c_str(), flags) != 0) {
    return errno;
  }
  name_.clear();
  g_unfinished = nullptr;
  return 0;
}

void UnfinishedFile::RemoveBeforeExit() {
  if (g_mutex.try_lock_for(kPatience) && g_unfinished != nullptr) {
    g_unfinished->Remove();
  }
}

}  // namespace caisson::cli
