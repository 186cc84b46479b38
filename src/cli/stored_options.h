// The command lines of `caisson create`, `follow` and `get`.
#ifndef CAISSON_CLI_STORED_OPTIONS_H_
#define CAISSON_CLI_STORED_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "cli/create_command.h"
#include "cli/follow_command.h"
#include "cli/get_command.h"
#include "cli/server.h"

namespace caisson::cli {

struct StoredOptions {
  CreateOptions create;
  FollowOptions follow;
  GetOptions get;
};

CLI::App* AddCreate(CLI::App& app, StoredOptions& options, ServerOptions& server);
CLI::App* AddFollow(CLI::App& app, StoredOptions& options, ServerOptions& server);
CLI::App* AddGet(CLI::App& app, StoredOptions& options, ServerOptions& server);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_STORED_OPTIONS_H_
