// `caisson profile install`: the packages of a profile's toolchain, through apt-get, as root.
#ifndef CAISSON_CLI_INSTALL_COMMAND_H_
#define CAISSON_CLI_INSTALL_COMMAND_H_

#include <string>
#include <vector>

#include "policy/profile.h"

namespace caisson::cli {

struct InstallOptions {
  std::string directory;  // --profiles; empty: the default one
  std::string name;
  bool libraries = false;  // the libraries too that the profile offers
  bool dry_run = false;    // say what would be done
};

int InstallCommand(const InstallOptions& options);

// What is missing for `profile` on this host, each once, in the order it is looked for.
std::vector<std::string> MissingPackages(const policy::Profile& profile, bool libraries);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_INSTALL_COMMAND_H_
