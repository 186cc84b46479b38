// The first step of a lockdown: nothing may be left that would make the others pointless.
#ifndef CAISSON_LOCKDOWN_UNPRIVILEGED_H_
#define CAISSON_LOCKDOWN_UNPRIVILEGED_H_

#include <string_view>

#include "absl/status/status.h"

namespace caisson::lockdown {

// Checks in the kernel's words that the process is not root, has no capability in any set but the bounding
// one, and only one thread; then sets no_new_privs and makes it not dumpable. `if_root`: what root is told.
absl::Status BecomeUnprivileged(std::string_view if_root);

}  // namespace caisson::lockdown

#endif  // CAISSON_LOCKDOWN_UNPRIVILEGED_H_
