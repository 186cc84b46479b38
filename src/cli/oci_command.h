// `caisson profile import` and `export`: seccomp lists of container runtimes.
#ifndef CAISSON_CLI_OCI_COMMAND_H_
#define CAISSON_CLI_OCI_COMMAND_H_

#include <string>

#include "cli/new_profile.h"

namespace caisson::cli {

struct ImportOptions {
  NewProfileOptions profile;
  std::string file;  // the list
};

struct ExportOptions {
  std::string directory;  // of the profiles; empty: the default one
  std::string name;
  std::string step = "run";
};

// Both return the exit code. What the list allows and the new profile does not is told on standard error.
int ProfileImportCommand(const ImportOptions& options);
int ProfileExportCommand(const ExportOptions& options);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_OCI_COMMAND_H_
