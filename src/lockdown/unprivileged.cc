#include "lockdown/unprivileged.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "common/files.h"
#include "common/status.h"

namespace caisson::lockdown {
namespace {

// The value of `key` in the text of /proc/self/status.
std::string_view StatusField(std::string_view text, std::string_view key) {
  const size_t start = text.find(key);
  if (start == std::string_view::npos) {
    return {};
  }
  text.remove_prefix(start + key.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find('\n'));
}

// As the kernel sees us, not as libcap or the caller would have it.
absl::Status Check(std::string_view if_root) {
  if (getuid() == 0 || geteuid() == 0) {
    return absl::FailedPreconditionError("check the user: " + std::string(if_root));
  }
  ASSIGN_OR_RETURN(const std::string text, ReadFile("/proc/self/status"));
  for (const char* set : {"\nCapInh:", "\nCapPrm:", "\nCapEff:", "\nCapAmb:"}) {
    const std::string_view value = StatusField(text, set);
    if (value.empty() || value.find_first_not_of('0') != std::string_view::npos) {
      return absl::FailedPreconditionError("check the capabilities: " + std::string(set + 1) +
                                           " must be empty, not " + std::string(value));
    }
  }
  // Landlock and the filter hold for this thread and its descendants, so there must be no other yet.
  if (StatusField(text, "\nThreads:") != "1") {
    return absl::FailedPreconditionError("check the threads: there must be one before the lockdown");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BecomeUnprivileged(std::string_view if_root) {
  RETURN_IF_ERROR(Check(if_root));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return ErrnoStatus(errno, "set no_new_privs");
  }
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return ErrnoStatus(errno, "make the process not dumpable");
  }
  return absl::OkStatus();
}

}  // namespace caisson::lockdown
