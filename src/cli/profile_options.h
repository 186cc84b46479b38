// The command line of `caisson profile`.
#ifndef CAISSON_CLI_PROFILE_OPTIONS_H_
#define CAISSON_CLI_PROFILE_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "cli/install_command.h"
#include "cli/learn_command.h"
#include "cli/oci_command.h"
#include "cli/profile_command.h"
#include "cli/server.h"

namespace caisson::cli {

struct ProfileCommandOptions {
  ProfileOptions look;  // list, lint, explain
  InstallOptions install;
  LearnOptions learn;
  ImportOptions import;
  ExportOptions exported;
};

// Adds `profile` with its commands; returns `learn`, what is left over of which is FILE and its arguments.
CLI::App* AddProfile(CLI::App& app, ProfileCommandOptions& options, ServerOptions& server);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_PROFILE_OPTIONS_H_
