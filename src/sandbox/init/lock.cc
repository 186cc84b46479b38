// Runs inside the sandbox, in init and in the stub, after the user namespace was entered. Input: the sealed
// plan.
#include "sandbox/init/lock.h"

#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "sandbox/init/init_filter.h"

namespace caisson::init {
namespace {

constexpr long kInvalid = -22;                 // EINVAL
constexpr uint64_t kScopeSignal = 1ULL << 1U;  // LANDLOCK_SCOPE_SIGNAL, KERNEL(6.12)

// KERNEL(6.7, 6.12): Debian 12's headers end at the file-system rights; the struct grows, its size tells the
// kernel.
struct LandlockRulesetAttr {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

const sandbox::PlanLandlock* FindLandlock(PlanReader& plan) {
  PlanItem item{};
  plan.Rewind();
  while (plan.Next(item)) {
    if (item.type == sandbox::PlanRecord::kLandlock && item.data_bytes == sizeof(sandbox::PlanLandlock)) {
      return reinterpret_cast<const sandbox::PlanLandlock*>(item.data);
    }
  }
  return nullptr;
}

void AddLandlockRule(int ruleset, const char* path, uint64_t access, Progress& progress) {
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = static_cast<int>(progress.Must(Syscall(__NR_open, Address(path), O_PATH | O_CLOEXEC)));
  progress.Must(Syscall(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, Address(&rule), 0));
  Close(rule.parent_fd);
  progress.NextIndex();
}

void AddLandlockRules(PlanReader& plan, int ruleset, Progress& progress) {
  PlanItem item{};
  plan.Rewind();
  while (plan.Next(item)) {
    if (item.type != sandbox::PlanRecord::kLandlockRule) {
      continue;
    }
    uint64_t access = 0;
    __builtin_memcpy(&access, item.data, sizeof access);
    AddLandlockRule(ruleset, item.path, access, progress);
  }
}

}  // namespace

void TakeIds(uint32_t id, Progress& progress) {
  progress.Must(Syscall(__NR_setresgid, id, id, id));
  progress.Must(Syscall(__NR_setresuid, id, id, id));
}

void SetCapabilities(uint64_t mask, Progress& progress) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<uint32_t>(mask);
  const auto high = static_cast<uint32_t>(mask >> 32U);
  __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};
  progress.Must(Syscall(__NR_capset, Address(&header), Address(data)));
}

void EmptyBoundingSet(Progress& progress) {
  progress.Must(Prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL));
  for (unsigned long capability = 0; capability < 64; ++capability) {
    const long result = Prctl(PR_CAPBSET_DROP, capability);
    if (result == kInvalid && capability > CAP_AUDIT_READ) {
      return;  // Above the kernel's last capability.
    }
    progress.Must(result);
    progress.NextIndex();
  }
}

void LockSecurebits(Progress& progress) {
  constexpr unsigned long kBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                  SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                  SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  progress.Must(Prctl(PR_SET_SECUREBITS, kBits));
}

void SetNoNewPrivs(Progress& progress) { progress.Must(Prctl(PR_SET_NO_NEW_PRIVS, 1)); }

void RestrictByLandlock(PlanReader plan, LandlockRules rules, Progress& progress) {
  const sandbox::PlanLandlock* landlock = FindLandlock(plan);
  if (landlock == nullptr) {
    progress.Fail(kInvalid);
  }
  // init must be able to end processes outside of its own domain: the payload's.
  const uint64_t scoped = rules == LandlockRules::kPlan ? landlock->scoped : landlock->scoped & ~kScopeSignal;
  const LandlockRulesetAttr attributes{landlock->handled_access_fs, landlock->handled_access_net, scoped};
  const long ruleset =
      progress.Must(Syscall(__NR_landlock_create_ruleset, Address(&attributes), landlock->attr_bytes, 0));
  if (rules == LandlockRules::kPlan) {
    AddLandlockRules(plan, static_cast<int>(ruleset), progress);
  } else {
    AddLandlockRule(static_cast<int>(ruleset), "/box",
                    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, progress);
  }
  progress.Must(Syscall(__NR_landlock_restrict_self, ruleset, 0));
  Close(static_cast<int>(ruleset));
}

int LoadPayloadFilter(PlanReader plan, Progress& progress) {
  uint32_t flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  PlanItem item{};
  PlanItem filter{};
  plan.Rewind();
  while (plan.Next(item)) {
    if (item.type == sandbox::PlanRecord::kFilter) {
      filter = item;
    } else if (item.type == sandbox::PlanRecord::kLimits) {
      flags |= reinterpret_cast<const sandbox::PlanInitLimits*>(item.data)->notify_flags;
    }
  }
  sock_fprog program{};
  program.len = static_cast<unsigned short>(filter.data_bytes / sizeof(sock_filter));
  // SAFETY: the kernel only reads the program.
  program.filter = const_cast<sock_filter*>(reinterpret_cast<const sock_filter*>(filter.data));
  return static_cast<int>(
      progress.Must(Syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, Address(&program))));
}

void LoadInitFilter(Progress& progress) {
  InitFilter filter = MakeInitFilter();
  const sock_fprog program{static_cast<unsigned short>(InitFilter::kLength), filter.code};
  progress.Must(Syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, Address(&program)));
}

}  // namespace caisson::init
