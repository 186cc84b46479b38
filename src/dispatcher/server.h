// The gRPC server: bounds, health, reflection. Connections come through the gate.
#ifndef CAISSON_DISPATCHER_SERVER_H_
#define CAISSON_DISPATCHER_SERVER_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "dispatcher/connection_book.h"
#include "dispatcher/connection_gate.h"
#include "dispatcher/run_service.h"

namespace caisson::dispatcher {

// The path in "unix:/absolute/path". Everything else is refused: there is no TLS and no authentication yet,
// so nothing but socket files and the kernel's word about their users says who may call.
absl::StatusOr<std::string> SocketPath(const std::string& address);

class Server {
 public:
  // Serves whoever comes through `listeners`; `service` finds them in `book`. The caller has passed the
  // lockdown.
  static absl::StatusOr<std::unique_ptr<Server>> Start(std::vector<ConnectionGate::Listener> listeners,
                                                       ConnectionBook& book, RunService& service,
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
