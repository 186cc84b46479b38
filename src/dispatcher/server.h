// The gRPC server: address, bounds, health, reflection. Connections come through the gate.
#ifndef CAISSON_DISPATCHER_SERVER_H_
#define CAISSON_DISPATCHER_SERVER_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "dispatcher/connection_gate.h"
#include "dispatcher/run_service.h"

namespace caisson::dispatcher {

// The path in "unix:/absolute/path". Everything else is refused: there is no TLS and no authentication yet,
// so nothing but the modes of a socket file says who may call.
absl::StatusOr<std::string> SocketPath(const std::string& address);

class Server {
 public:
  // Listens on `address`. The caller has set the umask that gives the socket its mode, and passed the
  // lockdown.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& address, RunService& service,
                                                       const ConnectionGate::Bounds& bounds);

  // From now on the health service says NOT_SERVING.
  void SetNotServing();
  // Ends all calls, those still open after `grace_ms` by force. Blocks; not for the I/O thread, which calls
  // need to end.
  void Shutdown(int64_t grace_ms);

 private:
  Server(std::unique_ptr<grpc::Server> server, std::unique_ptr<ConnectionGate> gate)
      : server_(std::move(server)), gate_(std::move(gate)) {}

  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ConnectionGate> gate_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SERVER_H_
