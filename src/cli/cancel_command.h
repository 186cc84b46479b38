// `caisson cancel`: ends one run by name.
#ifndef CAISSON_CLI_CANCEL_COMMAND_H_
#define CAISSON_CLI_CANCEL_COMMAND_H_

#include <string>

#include "cli/server.h"

namespace caisson::cli {

// `name` with or without "runs/". Returns the exit code; a run that has already finished is no error.
int CancelCommand(const std::string& name, const Server& server);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_CANCEL_COMMAND_H_
