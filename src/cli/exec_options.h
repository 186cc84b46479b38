// The options of `caisson exec`; what they do is in exec_command.h.
#ifndef CAISSON_CLI_EXEC_OPTIONS_H_
#define CAISSON_CLI_EXEC_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "cli/exec_command.h"
#include "cli/server.h"

namespace caisson::cli {

CLI::App* AddExec(CLI::App& app, ExecOptions& options, ServerOptions& server);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_EXEC_OPTIONS_H_
