// `caisson profile`: list (from the server, or offline), lint and explain (offline).
#ifndef CAISSON_CLI_PROFILE_COMMAND_H_
#define CAISSON_CLI_PROFILE_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "cli/server.h"

namespace caisson::cli {

struct ProfileOptions {
  std::string
      directory;      // --profiles; empty: ask the server (list), or the default directory (lint, explain)
  std::string name;   // lint, explain; empty: every profile
  bool json = false;  // list
};

int ProfileListCommand(const ProfileOptions& options, const Server& server);
int ProfileLintCommand(const ProfileOptions& options);
int ProfileExplainCommand(const ProfileOptions& options);

// profiles/ beside a build tree, or PREFIX/share/caisson/profiles; kNotFound naming both when neither exists.
absl::StatusOr<std::string> DefaultProfilesDirectory(const std::string& executable_directory);

std::string ProfilesTable(const std::vector<v1::Profile>& profiles);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_PROFILE_COMMAND_H_
