// A request that is ready to be sent: files read, profile known, standard input in it. Asks the server for
// its profiles where it must.
#ifndef CAISSON_CLI_PREPARED_REQUEST_H_
#define CAISSON_CLI_PREPARED_REQUEST_H_

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "cli/client.h"
#include "cli/run_request.h"

namespace caisson::cli {

// Whether standard input goes with the request, or follows as it comes.
enum class StdinUse : bool { kWhole, kStreamed };

// Everything that can fail before a call is made.
absl::StatusOr<v1::ExecuteRequest> PrepareRequest(const RunOptions& options, Client& client, StdinUse use);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_PREPARED_REQUEST_H_
