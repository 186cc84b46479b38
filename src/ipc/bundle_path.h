// Which paths a client may give its files inside /box. Pure; used by the dispatcher before admission and
// again by the bundle writer. The stub resolves the paths inside the sandbox, so this is for early refusals,
// not for safety.
#ifndef CAISSON_IPC_BUNDLE_PATH_H_
#define CAISSON_IPC_BUNDLE_PATH_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace caisson::ipc {

inline constexpr size_t kMaxPathComponentBytes = 255;  // NAME_MAX

// OK for a relative path in valid UTF-8 without NUL, empty, "." or ".." components, within
// wire::kMaxPathBytes and wire::kMaxPathComponents. kInvalidArgument with the reason alone (the caller knows
// the field's name).
absl::Status CheckBundlePath(std::string_view path);

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_BUNDLE_PATH_H_
