#include "lockdown/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "common/status.h"
#include "common/unique_fd.h"

namespace caisson::lockdown {
namespace {

constexpr uint64_t kFsRightsAbi1 = (1ULL << 13U) - 1;
constexpr uint64_t kFsRefer = 1ULL << 13U;    // ABI 2
constexpr uint64_t kNetBindTcp = 1ULL << 0U;  // ABI 4
constexpr uint64_t kNetConnectTcp = 1ULL << 1U;
constexpr uint64_t kFsIoctlDev = 1ULL << 15U;        // ABI 5
constexpr uint64_t kScopeAbstractUnix = 1ULL << 0U;  // ABI 6
constexpr uint64_t kScopeSignal = 1ULL << 1U;

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

}  // namespace

absl::Status RestrictSelf(std::span<const AllowedDirectory> allowed) {
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
  for (const AllowedDirectory& one : allowed) {
    const PathBeneathAttr rule{one.rights & attr.handled_access_fs, one.directory};
    if (syscall(SYS_landlock_add_rule, ruleset.get(), kRulePathBeneath, &rule, 0) != 0) {
      return ErrnoStatus(errno, "add a Landlock rule for " + one.name);
    }
  }
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return ErrnoStatus(errno, "enforce the Landlock ruleset");
  }
  return absl::OkStatus();
}

}  // namespace caisson::lockdown
