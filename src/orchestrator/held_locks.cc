#include "orchestrator/held_locks.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/files.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "orchestrator/proc_text.h"

namespace caisson::orchestrator {
namespace {

constexpr size_t kMaxFdinfoBytes = 4 << 20;  // several times what init lets a run hold
constexpr int kTries = 3;
// A call that init let go on may not have got there yet, or waits for its lock: one for each thread, each of
// which can add two.
constexpr uint64_t kUnderWayPerThread = 2;
constexpr int64_t kLongestNanos = 5 * kNanosPerMilli;
// Caissond spends at most one part in this many of its time on counting, whoever asks.
constexpr int64_t kShare = 10;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// ENOENT or ESRCH: the thread ended, or the descriptor was closed. Its locks went with it.
bool IsGone(const absl::Status& status) { return absl::IsNotFound(status); }

// Adds what one thread's descriptors hold to `held`; false when it cannot be told in time.
bool AddThread(pid_t thread, int64_t deadline_nanos, uint64_t& held) {
  const std::string path = "/proc/" + std::to_string(thread) + "/fdinfo";
  absl::StatusOr<UniqueFd> directory = OpenFile(path, O_RDONLY | O_DIRECTORY);
  if (!directory.ok()) {
    return IsGone(directory.status());
  }
  const int fd = directory->get();
  const std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(fd));
  if (stream == nullptr) {
    return false;
  }
  static_cast<void>(directory->release());
  for (;;) {
    errno = 0;
    const dirent* entry =
        readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): the stream is this call's own
    if (entry == nullptr) {
      return errno == 0 || errno == ENOENT || errno == ESRCH;
    }
    if (entry->d_name[0] == '.') {
      continue;
    }
    const absl::StatusOr<std::string> text = ReadFileAt(fd, entry->d_name, kMaxFdinfoBytes);
    if (text.ok()) {
      held += CountPosixLocks(*text);
    } else if (!IsGone(text.status())) {
      return false;
    }
    if (MonotonicNanos() > deadline_nanos) {
      return false;
    }
  }
}

}  // namespace

uint64_t CountPosixLocks(std::string_view fdinfo) {
  uint64_t count = 0;
  while (!fdinfo.empty()) {
    const std::string_view line = TakeLine(fdinfo);
    // "lock:\t1: POSIX  ADVISORY  WRITE 4242 00:2b:17 0 EOF"
    count += line.starts_with("lock:") && line.find(" POSIX ") != std::string_view::npos ? 1U : 0U;
  }
  return count;
}

std::optional<uint64_t> CountHeldLocks(const ListThreads& list_threads, int64_t deadline_nanos) {
  absl::StatusOr<std::vector<pid_t>> threads = list_threads();
  for (int tries = 0; tries < kTries && threads.ok(); ++tries) {
    uint64_t held = kUnderWayPerThread * threads->size();
    for (const pid_t thread : *threads) {
      if (!AddThread(thread, deadline_nanos, held)) {
        return std::nullopt;
      }
    }
    // A table of descriptors, and its locks with it, can pass to a new thread before its old one is looked
    // at. Nothing else moves a lock.
    std::sort(threads->begin(), threads->end());
    absl::StatusOr<std::vector<pid_t>> now = list_threads();
    if (!now.ok()) {
      break;
    }
    const bool none_is_new = std::all_of(now->begin(), now->end(), [&](pid_t thread) {
      return std::binary_search(threads->begin(), threads->end(), thread);
    });
    if (none_is_new) {
      return held;
    }
    threads = std::move(now);
  }
  return std::nullopt;
}

uint64_t LockCounter::Count(const ListThreads& list_threads) {
  const int64_t begin = MonotonicNanos();
  const std::optional<uint64_t> held = CountHeldLocks(list_threads, begin + kLongestNanos);
  const int64_t end = MonotonicNanos();
  next_nanos_ = end + (kShare - 1) * (end - begin);
  return held.value_or(UINT64_MAX);
}

}  // namespace caisson::orchestrator
