// Gives up root for good. Run by caissond in the child that becomes the dispatcher, and by the gateway.
#ifndef CAISSON_COMMON_DROP_PRIVILEGES_H_
#define CAISSON_COMMON_DROP_PRIVILEGES_H_

#include <sys/types.h>

#include <span>

namespace caisson {

// As root: the given ids and supplementary groups, no capability in any set, locked securebits, no_new_privs.
// False, with errno, if any of it did not succeed: the process must end then. Allocates nothing, so that it
// may be called after fork.
bool DropPrivileges(uid_t uid, gid_t gid, std::span<const gid_t> groups);

}  // namespace caisson

#endif  // CAISSON_COMMON_DROP_PRIVILEGES_H_
