// `caisson top`: what the server does right now, drawn anew every moment.
#ifndef CAISSON_CLI_TOP_COMMAND_H_
#define CAISSON_CLI_TOP_COMMAND_H_

#include <string>

#include "cli/server.h"

namespace caisson::cli {

struct TopOptions {
  double interval_seconds = 1;
  bool once = false;  // also where standard output is no terminal
};

// Until q, Ctrl-C or SIGTERM. Returns the exit code. The terminal is left as it was found.
int TopCommand(const TopOptions& options, const Server& server);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_TOP_COMMAND_H_
