// `caisson follow`: passes on what a created run puts out, from where it is wanted, over as many connections
// as it takes, and exits as the run did.
#ifndef CAISSON_CLI_FOLLOW_COMMAND_H_
#define CAISSON_CLI_FOLLOW_COMMAND_H_

#include <cstdint>
#include <string>

#include "cli/server.h"

namespace caisson::cli {

struct FollowOptions {
  std::string name;  // with or without "runs/"
  bool json = false;
  uint64_t stdout_offset = 0;
  uint64_t stderr_offset = 0;
  std::string outputs_directory;  // empty: returned files are not kept
  bool force = false;
};

// Returns the exit code, as `caisson run` does. SIGPIPE must be ignored by the process.
int FollowCommand(const FollowOptions& options, const Server& server);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_FOLLOW_COMMAND_H_
