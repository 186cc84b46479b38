// What no sandbox can go below: the bare process, in new namespaces where a sandbox makes them, and one unary
// call to a gRPC server that does nothing, on the same kind of socket.
#ifndef CAISSON_BENCH_FLOOR_H_
#define CAISSON_BENCH_FLOOR_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bench/work.h"
#include "caisson/v1/run.grpc.pb.h"

namespace caisson::bench {

class Floor {
 public:
  // Its server listens on a Unix socket in `directory`, on threads of this process.
  static absl::StatusOr<std::unique_ptr<Floor>> Start(const std::string& directory);
  ~Floor();

  // How long an empty call takes, in nanoseconds. From any thread.
  absl::StatusOr<int64_t> Call();
  // The command in mount, pid, network, ipc and uts namespaces of its own, then an empty call: a run without
  // building anything ahead. Needs root.
  absl::Status RunInNamespaces(const Work& work);

 private:
  class Service;

  Floor();

  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::RunService::Stub> stub_;
};

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_FLOOR_H_
