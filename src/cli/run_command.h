// `caisson run`: sends a program, passes its streams through as they arrive, exits as it did.
#ifndef CAISSON_CLI_RUN_COMMAND_H_
#define CAISSON_CLI_RUN_COMMAND_H_

#include <string>

#include "cli/run_request.h"
#include "cli/server.h"

namespace caisson::cli {

// Returns the exit code, and in `result`, unless that is null, the run's: an empty one where none came.
// SIGPIPE must be ignored by the process.
int RunCommand(const RunOptions& options, const Server& server, v1::RunResult* result = nullptr);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_RUN_COMMAND_H_
