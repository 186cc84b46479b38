#include "dispatcher/self_landlock.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "common/files.h"
#include "common/status.h"

namespace caisson::dispatcher {
namespace {

// The kernel's own header is as old as the distribution; these are linux/landlock.h up to ABI 7.
constexpr uint64_t kFsRightsAbi1 = (1ULL << 13U) - 1;
constexpr uint64_t kFsRefer = 1ULL << 13U;     // ABI 2
constexpr uint64_t kFsTruncate = 1ULL << 14U;  // ABI 3
constexpr uint64_t kNetBindTcp = 1ULL << 0U;   // ABI 4
constexpr uint64_t kNetConnectTcp = 1ULL << 1U;
constexpr uint64_t kFsIoctlDev = 1ULL << 15U;        // ABI 5
constexpr uint64_t kScopeAbstractUnix = 1ULL << 0U;  // ABI 6
constexpr uint64_t kScopeSignal = 1ULL << 1U;

constexpr uint64_t kFsWriteFile = 1ULL << 1U;
constexpr uint64_t kFsReadFile = 1ULL << 2U;
constexpr uint64_t kFsReadDirectory = 1ULL << 3U;
constexpr uint64_t kFsRemoveFile = 1ULL << 5U;
constexpr uint64_t kFsMakeDirectory = 1ULL << 7U;
constexpr uint64_t kFsMakeRegular = 1ULL << 8U;
constexpr uint64_t kFsMakeSock = 1ULL << 9U;

constexpr uint32_t kCreateRulesetVersion = 1;
constexpr int kRulePathBeneath = 1;

struct RulesetAttr {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

struct [[gnu::packed]] PathBeneathAttr {
  uint64_t allowed_access;
  int32_t parent_fd;
};

RulesetAttr EverythingOf(long abi) {
  RulesetAttr attr{kFsRightsAbi1, 0, 0};
  attr.handled_access_fs |= abi >= 2 ? kFsRefer : 0;
  attr.handled_access_fs |= abi >= 3 ? kFsTruncate : 0;
  attr.handled_access_net |= abi >= 4 ? kNetBindTcp | kNetConnectTcp : 0;
  attr.handled_access_fs |= abi >= 5 ? kFsIoctlDev : 0;
  attr.scoped |= abi >= 6 ? kScopeAbstractUnix | kScopeSignal : 0;
  return attr;
}

absl::Status AddRule(const UniqueFd& ruleset, int directory, const std::string& name, uint64_t rights) {
  const PathBeneathAttr rule{rights, directory};
  if (syscall(SYS_landlock_add_rule, ruleset.get(), kRulePathBeneath, &rule, 0) != 0) {
    return ErrnoStatus(errno, "add a Landlock rule for " + name);
  }
  return absl::OkStatus();
}

absl::Status Restrict(const std::set<std::string>& socket_directories, int files, uint64_t file_rights) {
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateRulesetVersion);
  if (abi < 1) {
    return ErrnoStatus(errno, "ask the kernel for Landlock");
  }
  const RulesetAttr attr = EverythingOf(abi);
  // Fields that the kernel is too old for are zero, which it accepts whatever the size.
  const UniqueFd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0)));
  if (!ruleset.valid()) {
    return ErrnoStatus(errno, "create a Landlock ruleset");
  }
  for (const std::string& path : socket_directories) {
    ASSIGN_OR_RETURN(const UniqueFd sockets, OpenFile(path, O_PATH | O_DIRECTORY));
    RETURN_IF_ERROR(AddRule(ruleset, sockets.get(), path, kFsMakeSock | kFsRemoveFile));
  }
  if (files >= 0) {
    RETURN_IF_ERROR(AddRule(ruleset, files, "the records", file_rights & attr.handled_access_fs));
  }
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return ErrnoStatus(errno, "enforce the Landlock ruleset");
  }
  return absl::OkStatus();
}

constexpr uint64_t kUseFiles = kFsReadFile | kFsWriteFile | kFsMakeRegular | kFsRemoveFile | kFsTruncate;

}  // namespace

absl::Status RestrictFiles(const std::set<std::string>& socket_directories, int spool) {
  return Restrict(socket_directories, spool, kUseFiles);
}

absl::Status RestrictFilesToRecords(const std::set<std::string>& socket_directories,
                                    const std::string& records_directory) {
  ASSIGN_OR_RETURN(const UniqueFd records, OpenFile(records_directory, O_PATH | O_DIRECTORY));
  return Restrict(socket_directories, records.get(), kUseFiles | kFsReadDirectory | kFsMakeDirectory);
}

}  // namespace caisson::dispatcher
