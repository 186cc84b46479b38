// Error numbers by the names that profiles and people use.
#ifndef CAISSON_POLICY_ERRNO_NAMES_H_
#define CAISSON_POLICY_ERRNO_NAMES_H_

#include <optional>
#include <string>
#include <string_view>

namespace caisson::policy {

// 38 for "ENOSYS". Aliases such as EWOULDBLOCK are not names.
std::optional<int> FindErrno(std::string_view name);

// "ENOSYS" for 38; "errno 4000" for what has no name.
std::string ErrnoName(int error_number);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_ERRNO_NAMES_H_
