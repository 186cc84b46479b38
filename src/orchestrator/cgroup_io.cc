#include "orchestrator/cgroup_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "common/clock.h"
#include "common/files.h"
#include "common/pidfd.h"
#include "common/status.h"
#include "orchestrator/cgroup_files.h"

namespace caisson::orchestrator {
namespace {

constexpr mode_t kDirectoryMode = 0755;
constexpr size_t kMaxProcsBytes = 1 << 20;
constexpr int64_t kFreezeDeadlineNanos = 2'000 * kNanosPerMilli;
constexpr int kMaxDepth = 8;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// Kills every process of the tree at `directory`; returns how many were still listed.
absl::StatusOr<size_t> KillListedTree(int directory, int depth) {
  if (depth > kMaxDepth) {
    return absl::FailedPreconditionError("kill cgroup: nested deeper than " + std::to_string(kMaxDepth));
  }
  ASSIGN_OR_RETURN(size_t listed, KillListed(directory));
  ASSIGN_OR_RETURN(const auto children, ChildGroups(directory));
  for (const std::string& name : children) {
    ASSIGN_OR_RETURN(const UniqueFd child, OpenCgroup(directory, name));
    ASSIGN_OR_RETURN(const size_t below, KillListedTree(child.get(), depth + 1));
    listed += below;
  }
  return listed;
}

absl::Status KillFrozen(int parent, const std::string& group) {
  ASSIGN_OR_RETURN(const UniqueFd directory, OpenCgroup(parent, group));
  RETURN_IF_ERROR(WriteFileAt(directory.get(), "cgroup.freeze", "1"));
  const int64_t deadline = MonotonicNanos() + kFreezeDeadlineNanos;
  absl::Status result = absl::OkStatus();
  for (;;) {
    const absl::StatusOr<size_t> listed = KillListedTree(directory.get(), 0);
    if (!listed.ok()) {
      result = listed.status();
      break;
    }
    if (*listed == 0) {
      break;
    }
    if (MonotonicNanos() > deadline) {
      result = absl::DeadlineExceededError("kill cgroup " + group + ": processes remain");
      break;
    }
    // Freezing and dying both take the scheduler; there is no event for "the list is shorter".
    timespec pause{0, 200'000};
    nanosleep(&pause, nullptr);
  }
  RETURN_IF_ERROR(WriteFileAt(directory.get(), "cgroup.freeze", "0"));
  return result;
}

}  // namespace

absl::Status MakeCgroup(int parent, const std::string& name) {
  if (mkdirat(parent, name.c_str(), kDirectoryMode) != 0) {
    return ErrnoStatus(errno, "make cgroup " + name);
  }
  return absl::OkStatus();
}

absl::Status RemoveCgroup(int parent, const std::string& name) {
  if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  if (errno == EBUSY) {
    return absl::UnavailableError("remove cgroup " + name + ": busy");
  }
  return ErrnoStatus(errno, "remove cgroup " + name);
}

absl::StatusOr<UniqueFd> OpenCgroup(int parent, const std::string& name) {
  return OpenFileAt(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

bool CgroupFileExists(int directory, const std::string& name) {
  return faccessat(directory, name.c_str(), F_OK, 0) == 0;
}

absl::StatusOr<std::string> ReadAgain(int fd, std::string_view name) {
  std::array<char, 4096> buffer{};
  const ssize_t got = pread(fd, buffer.data(), buffer.size(), 0);
  if (got < 0) {
    return ErrnoStatus(errno, "read " + std::string(name));
  }
  return std::string(buffer.data(), static_cast<size_t>(got));
}

absl::StatusOr<std::string> WriteAndReadBack(int directory, const std::string& name,
                                             const std::string& text) {
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenFileAt(directory, name, O_RDWR));
  const ssize_t written = write(fd.get(), text.data(), text.size());
  if (written < 0) {
    return ErrnoStatus(errno, "write " + text + " to " + name);
  }
  if (static_cast<size_t>(written) != text.size()) {
    return absl::DataLossError("write " + text + " to " + name + ": taken in part");
  }
  return ReadAgain(fd.get(), name);
}

absl::Status WriteAndCheck(int directory, const std::string& name, uint64_t value) {
  ASSIGN_OR_RETURN(const std::string text, WriteAndReadBack(directory, name, std::to_string(value)));
  ASSIGN_OR_RETURN(const uint64_t held, ParseValue(text));
  if (held != value) {
    return absl::FailedPreconditionError("write " + std::to_string(value) + " to " + name +
                                         ": the kernel holds " + std::to_string(held));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ReadValue(int directory, const std::string& name) {
  ASSIGN_OR_RETURN(const std::string text, ReadFileAt(directory, name));
  return ParseValue(text);
}

absl::StatusOr<std::optional<uint64_t>> ReadOptionalValue(int directory, const std::string& name) {
  const absl::StatusOr<uint64_t> value = ReadValue(directory, name);
  if (value.ok()) {
    return std::optional<uint64_t>(*value);
  }
  if (absl::IsNotFound(value.status())) {
    return std::optional<uint64_t>();
  }
  return value.status();
}

absl::StatusOr<std::vector<pid_t>> ReadPids(int directory, const std::string& group) {
  const std::string name = group.empty() ? "cgroup.procs" : group + "/cgroup.procs";
  ASSIGN_OR_RETURN(const std::string text, ReadFileAt(directory, name, kMaxProcsBytes));
  return ParsePids(text);
}

absl::StatusOr<std::vector<pid_t>> ReadThreads(int directory, const std::string& group) {
  ASSIGN_OR_RETURN(const std::string text, ReadFileAt(directory, group + "/cgroup.threads", kMaxProcsBytes));
  return ParsePids(text);
}

absl::Status KillGroup(int parent, const std::string& group, KillMethod method) {
  if (method == KillMethod::kCgroupKill) {
    RETURN_IF_ERROR(WriteFileAt(parent, group + "/cgroup.kill", "1"));
    ASSIGN_OR_RETURN(const UniqueFd directory, OpenCgroup(parent, group));
    return KillListedTree(directory.get(), 0).status();
  }
  return KillFrozen(parent, group);
}

absl::StatusOr<size_t> KillListed(int directory) {
  ASSIGN_OR_RETURN(const std::vector<pid_t> listed, ReadPids(directory, ""));
  if (listed.empty()) {
    return size_t{0};
  }
  std::vector<std::pair<pid_t, PidFd>> open;
  for (const pid_t pid : listed) {
    absl::StatusOr<PidFd> process = PidFd::Open(pid);
    if (process.ok()) {
      open.emplace_back(pid, std::move(*process));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<pid_t> still, ReadPids(directory, ""));
  for (const auto& [pid, process] : open) {
    if (std::find(still.begin(), still.end(), pid) != still.end()) {
      RETURN_IF_ERROR(process.Kill(SIGKILL));
    }
  }
  return std::max(listed.size(), still.size());
}

absl::StatusOr<std::vector<std::string>> ChildGroups(int directory) {
  ASSIGN_OR_RETURN(UniqueFd copy, OpenFileAt(directory, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(copy.get()));
  if (stream == nullptr) {
    return ErrnoStatus(errno, "list cgroups");
  }
  static_cast<void>(copy.release());
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry =
        readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): the stream is this call's own
    if (entry == nullptr) {
      break;
    }
    const std::string name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") {
      names.push_back(name);
    }
  }
  if (errno != 0) {
    return ErrnoStatus(errno, "list cgroups");
  }
  return names;
}

}  // namespace caisson::orchestrator
