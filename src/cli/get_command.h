// `caisson get`: what the server knows of one run.
#ifndef CAISSON_CLI_GET_COMMAND_H_
#define CAISSON_CLI_GET_COMMAND_H_

#include <string>

#include "caisson/v1/run.pb.h"
#include "cli/server.h"

namespace caisson::cli {

struct GetOptions {
  std::string name;  // with or without "runs/"
  bool json = false;
};

// Returns the exit code: whether there is such a run, not how it ended.
int GetCommand(const GetOptions& options, const Server& server);

// One line for each thing that is known, its name before it.
std::string RunText(const v1::Run& run);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_GET_COMMAND_H_
