// The gRPC server: address, bounds, health, reflection.
#ifndef CAISSON_DISPATCHER_SERVER_H_
#define CAISSON_DISPATCHER_SERVER_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "dispatcher/run_service.h"

namespace caisson::dispatcher {

// The path in "unix:/absolute/path". Everything else is refused: there is no TLS and no authentication yet,
// so nothing but the modes of a socket file says who may call.
absl::StatusOr<std::string> SocketPath(const std::string& address);

class Server {
 public:
  // Listens on `address`. The caller has set the umask that gives the socket its mode, and passed the
  // lockdown.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& address, RunService& service);

  // From now on the health service says NOT_SERVING.
  void SetNotServing();
  // Ends all calls, those still open after `grace_ms` by force. Blocks; not for the I/O thread, which calls
  // need to end.
  void Shutdown(int64_t grace_ms);

 private:
  explicit Server(std::unique_ptr<grpc::Server> server) : server_(std::move(server)) {}

  std::unique_ptr<grpc::Server> server_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SERVER_H_
