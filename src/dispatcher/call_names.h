// Names that clients give: of a run, and of a request that may be repeated. Untrusted until they are checked
// here, before any look-up.
#ifndef CAISSON_DISPATCHER_CALL_NAMES_H_
#define CAISSON_DISPATCHER_CALL_NAMES_H_

#include <grpcpp/support/status.h>

#include <cstddef>
#include <string>

namespace caisson::dispatcher {

inline constexpr size_t kMaxRequestIdBytes = 128;
inline constexpr char kRequestIdRule[] = "at most 128 letters, digits, '_', '.', ':' and '-'";

// An empty one is none, and well.
bool IsRequestId(const std::string& text);

// OK if `name` has the form of a run's name.
grpc::Status ValidateRunName(const std::string& name);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_CALL_NAMES_H_
