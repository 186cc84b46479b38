// The admin service as the command line calls it.
#ifndef CAISSON_CLI_ADMIN_CLIENT_H_
#define CAISSON_CLI_ADMIN_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "caisson/admin/v1/admin.grpc.pb.h"
#include "cli/server.h"

namespace caisson::cli {

class AdminClient {
 public:
  // Does not connect yet.
  explicit AdminClient(const Server& server);

  // Each has ten seconds; Reload, which may have to wait for its turn, a minute.
  grpc::Status Drain(admin::v1::DrainResponse& response);
  grpc::Status Resume(admin::v1::ResumeResponse& response);
  grpc::Status Reload(admin::v1::ReloadResponse& response);
  // Every page, in the server's order; RESOURCE_EXHAUSTED where there is no end to them.
  grpc::Status ListTenants(admin::v1::ListTenantsResponse& all);

  // What to print about a failed call: the refusal, why the server cannot be reached, or that this is another
  // socket.
  std::string Explain(const grpc::Status& status) const;

 private:
  std::string address_;
  std::unique_ptr<admin::v1::AdminService::Stub> stub_;
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_ADMIN_CLIENT_H_
