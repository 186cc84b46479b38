// `caisson version`: this program's version, and the server's if it answers.
#ifndef CAISSON_CLI_VERSION_COMMAND_H_
#define CAISSON_CLI_VERSION_COMMAND_H_

#include <string>

#include "cli/server.h"

namespace caisson::cli {

// Always kExitOk: that no server runs is an answer too, on its own line.
int VersionCommand(bool json, const Server& server);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_VERSION_COMMAND_H_
