// The port of a door, made before its lockdown.
#ifndef CAISSON_DOOR_LISTENER_H_
#define CAISSON_DOOR_LISTENER_H_

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::door {

// Non-blocking. The error names the address.
absl::StatusOr<UniqueFd> Listen(const boost::asio::ip::tcp::endpoint& at);

// Takes all descriptors that the process may have. An error where `needed` for `connections` are more than
// that.
absl::Status RaiseDescriptorLimit(size_t connections, size_t needed);

}  // namespace caisson::door

#endif  // CAISSON_DOOR_LISTENER_H_
