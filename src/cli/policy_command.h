// `caisson policy`: tenants' policies before a daemon gets them. Runs as whoever calls it; reads their files.
#ifndef CAISSON_CLI_POLICY_COMMAND_H_
#define CAISSON_CLI_POLICY_COMMAND_H_

#include <CLI/CLI.hpp>
#include <string>

namespace caisson::cli {

struct PolicyOptions {
  std::string directory = "/etc/caisson/tenants";
  std::string tenant;  // explain: empty is all
};

// Adds `policy` with its commands.
CLI::App* AddPolicy(CLI::App& app, PolicyOptions& options);

// The one that was given; the exit code. Complaints, one a line, go to standard error.
int PolicyCommand(const CLI::App& group, const PolicyOptions& options);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_POLICY_COMMAND_H_
