#include "common/drop_privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace caisson {
namespace {

bool EmptyBoundingSet() {
  for (int capability = 0; capability < 64; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return errno == EINVAL && capability > CAP_AUDIT_READ;  // Above the kernel's last capability.
    }
  }
  return true;
}

}  // namespace

bool DropPrivileges(uid_t uid, gid_t gid, std::span<const gid_t> groups) {
  constexpr unsigned long kBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
                                  SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                                  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  // ORDER: the bounding set and the securebits while CAP_SETPCAP is held; groups, then gid, then uid; what
  // the uid change left of capabilities explicitly; no_new_privs last, it needs nothing.
  return EmptyBoundingSet() && prctl(PR_SET_SECUREBITS, kBits, 0, 0, 0) == 0 &&
         setgroups(groups.size(), groups.empty() ? nullptr : groups.data()) == 0 &&
         setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0 &&
         syscall(SYS_capset, &header, none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

}  // namespace caisson
