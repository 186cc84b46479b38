// The gRPC client every command uses. Thread-safe: gRPC's own objects are.
#ifndef CAISSON_CLI_CLIENT_H_
#define CAISSON_CLI_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "caisson/v1/run.grpc.pb.h"
#include "caisson/v1/run.pb.h"
#include "cli/server.h"

namespace caisson::cli {

// The server refuses larger requests; the command line says so before it sends one.
inline constexpr size_t kMaxRequestBytes = 16 * 1024 * 1024;
// All files together, where they are sent in chunks.
inline constexpr size_t kMaxUploadBytes = 256 * 1024 * 1024;
inline constexpr size_t kMaxRequestFiles = 2048;

class Client {
 public:
  // Does not connect yet. Each call shows the server's token, if there is one.
  explicit Client(const Server& server);

  const std::string& address() const { return address_; }
  v1::RunService::Stub& stub() { return *stub_; }

  // Every page, in the server's order; stops at the first failure, and with RESOURCE_EXHAUSTED where there is
  // no end to them. All pages together, and each other unary call, have ten seconds.
  grpc::Status ListProfiles(std::vector<v1::Profile>& profiles);
  // Those that `filter` lets through, the newest `most`.
  grpc::Status ListRuns(const std::string& filter, size_t most, std::vector<v1::Run>& runs);
  // A minute: the run is stored before it is answered. Repeated where that is safe, with a request_id.
  grpc::Status CreateRun(const v1::ExecuteRequest& request, v1::Run& run);
  grpc::Status GetRun(const std::string& name, v1::Run& run);
  grpc::Status CancelRun(const std::string& name, v1::Run& run);
  grpc::Status GetServerInfo(v1::ServerInfo& info);

  // What to print about a failed call: the refusal with its details, or why the server cannot be reached.
  std::string Explain(const grpc::Status& status) const;

 private:
  std::string address_;
  std::unique_ptr<v1::RunService::Stub> stub_;
};

// "runs/NAME" for either spelling.
std::string RunName(const std::string& name);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_CLIENT_H_
