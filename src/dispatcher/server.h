// A gRPC server: bounds, health, reflection. Connections come through the gate. There is one for runs, and
// one for admins where they have a listener: what a connection can reach is decided by the socket it came
// through.
#ifndef CAISSON_DISPATCHER_SERVER_H_
#define CAISSON_DISPATCHER_SERVER_H_

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "dispatcher/connection_book.h"
#include "dispatcher/connection_gate.h"

namespace caisson::dispatcher {

// The path in "unix:/absolute/path". Everything else is refused: there is no TLS and no authentication yet,
// so nothing but socket files and the kernel's word about their users says who may call.
absl::StatusOr<std::string> SocketPath(const std::string& address);

// Connections of admins at once, and their calls: a few people and a scraper.
inline constexpr size_t kMostAdminConnections = 16;
inline constexpr size_t kMostAdminCalls = 64;

class Server {
 public:
  enum class Kind : uint8_t {
    kRuns,    // with reflection
    kAdmins,  // the service and health, and nothing else
  };

  // Serves `service`, which outlives it, to whoever comes through `listeners` and is in `book`. The caller
  // has passed the lockdown.
  static absl::StatusOr<std::unique_ptr<Server>> Start(std::vector<ConnectionGate::Listener> listeners,
                                                       ConnectionBook& book, grpc::Service& service,
                                                       const ConnectionGate::Bounds& bounds,
                                                       Kind kind = Kind::kRuns);

  // What health says from now on of the empty name: whether runs are admitted.
  void SetServing(bool serving);
  // From now on it says NOT_SERVING of every name, for good.
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
