#include "lockdown/become_user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "common/drop_privileges.h"
#include "common/status.h"

namespace caisson::lockdown {
namespace {

constexpr size_t kEntryBytes = size_t{64} << 10U;
constexpr int kMaxGroups = 256;

}  // namespace

absl::Status BecomeUser(const std::string& name) {
  if (name.empty()) {
    return absl::OkStatus();
  }
  if (geteuid() != 0) {
    return absl::FailedPreconditionError("become the user " + name + ": only root can; leave --user out");
  }
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> text(kEntryBytes);
  const int error = getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
  if (found == nullptr) {
    return absl::FailedPreconditionError(
        "become the user " + name + ": " +
        (error == 0 ? "there is none" : Message(ErrnoStatus(error, "look it up"))));
  }
  if (entry.pw_uid == 0 || entry.pw_gid == 0) {
    return absl::FailedPreconditionError("become the user " + name + ": it must not be root");
  }
  std::array<gid_t, kMaxGroups> groups{};
  int count = kMaxGroups;
  if (getgrouplist(name.c_str(), entry.pw_gid, groups.data(), &count) < 0) {
    return absl::FailedPreconditionError("become the user " + name + ": it has too many groups");
  }
  const std::span<const gid_t> its(groups.data(), static_cast<size_t>(count));
  for (const gid_t group : its) {
    if (group == 0) {
      return absl::FailedPreconditionError("become the user " + name + ": it must not be in root's group");
    }
  }
  if (!DropPrivileges(entry.pw_uid, entry.pw_gid, its)) {
    return ErrnoStatus(errno, "become the user " + name);
  }
  return absl::OkStatus();
}

}  // namespace caisson::lockdown
