// The way to a server, whichever of its services is meant. Thread-safe: gRPC's own objects are.
#ifndef CAISSON_CLI_CHANNEL_H_
#define CAISSON_CLI_CHANNEL_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "cli/server.h"

namespace caisson::cli {

// Does not connect yet. Each call shows the server's token, if there is one.
std::shared_ptr<grpc::Channel> MakeChannel(const Server& server);

// What to print about a failed call: the refusal with its details, or why the server cannot be reached.
std::string ExplainFailure(const std::string& address, const grpc::Status& status);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_CHANNEL_H_
