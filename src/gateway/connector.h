// A process that does one thing: it connects to the daemon's socket and hands the connection over. So the
// gateway itself needs neither socket(2) nor connect(2), and whoever takes it over reaches nothing else. The
// connector has the gateway's user and locks of its own, and reads one byte at a time of which it looks at
// none. It dies with the gateway.
#ifndef CAISSON_GATEWAY_CONNECTOR_H_
#define CAISSON_GATEWAY_CONNECTOR_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::gateway {

class Connector {
 public:
  // Forks, so: before any other thread, and after privileges are gone. `path`: of the daemon's socket,
  // absolute and short enough.
  static absl::StatusOr<Connector> Start(const std::string& path);

  // A new connection, non-blocking; kUnavailable with the reason where the daemon does not listen. kAborted:
  // the connector is gone, and the gateway should be as well.
  absl::StatusOr<UniqueFd> Connect();

  // For those who watch it: readable when the connector is gone.
  int control() const { return control_.get(); }

 private:
  explicit Connector(UniqueFd control) : control_(std::move(control)) {}

  UniqueFd control_;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_CONNECTOR_H_
