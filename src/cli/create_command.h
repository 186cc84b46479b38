// `caisson create`: starts a run that goes on by itself, and prints its name.
#ifndef CAISSON_CLI_CREATE_COMMAND_H_
#define CAISSON_CLI_CREATE_COMMAND_H_

#include <string>

#include "cli/run_request.h"
#include "cli/server.h"

namespace caisson::cli {

struct CreateOptions {
  RunOptions run;
  std::string request_id;
  bool json = false;
};

// Returns the exit code.
int CreateCommand(const CreateOptions& options, const Server& server);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_CREATE_COMMAND_H_
