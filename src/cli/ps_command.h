// `caisson ps`: the runs the server knows.
#ifndef CAISSON_CLI_PS_COMMAND_H_
#define CAISSON_CLI_PS_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "cli/server.h"

namespace caisson::cli {

struct PsOptions {
  bool all = false;    // finished ones too
  std::string filter;  // as ListRuns has it; with it `all` says nothing
  bool json = false;
};

int PsCommand(const PsOptions& options, const Server& server);

// The table, header included. `now_seconds` as time(2).
std::string RunsTable(const std::vector<v1::Run>& runs, int64_t now_seconds);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_PS_COMMAND_H_
