// A process that does one thing: it connects to one of the daemon's sockets, by number, and hands the
// connection over. So the door that it stands beside needs neither socket(2) nor connect(2), and whoever
// takes it over reaches nothing else. It has the door's user and locks of its own, and dies with the door.
#ifndef CAISSON_DOOR_CONNECTOR_H_
#define CAISSON_DOOR_CONNECTOR_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::door {

inline constexpr size_t kMostSockets = 64;

class Connector {
 public:
  // Forks, so: before any other thread, and after privileges are gone. `paths`: of the daemon's sockets,
  // absolute, at most kMostSockets.
  static absl::StatusOr<Connector> Start(const std::vector<std::string>& paths);

  // A new connection, non-blocking, to the socket with this number; kUnavailable with the reason where the
  // daemon does not listen. kAborted: the connector is gone, and the door should be as well.
  absl::StatusOr<UniqueFd> Connect(size_t number);

 private:
  explicit Connector(UniqueFd control) : control_(std::move(control)) {}

  UniqueFd control_;
};

// Its filter as struct sock_filter after struct sock_filter. Loads nothing.
absl::Status WriteConnectorFilter(int fd);

}  // namespace caisson::door

#endif  // CAISSON_DOOR_CONNECTOR_H_
