// Turns a validated request's content into the sealed bundle that travels to the stub.
// Runs in caisson-dispatcher on gRPC's threads, over client data.
#ifndef CAISSON_DISPATCHER_REQUEST_BUNDLE_H_
#define CAISSON_DISPATCHER_REQUEST_BUNDLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "common/unique_fd.h"

namespace caisson::dispatcher {

// Main file, arguments, environment, files and output paths, in that order.
absl::StatusOr<UniqueFd> SealBundle(const v1::ExecuteRequest& request, const std::string& main_file);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_REQUEST_BUNDLE_H_
