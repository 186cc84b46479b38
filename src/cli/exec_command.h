// `caisson exec`: sends a directory and runs a script of it, for CI jobs. What is left once the options are
// complete is `caisson run`.
#ifndef CAISSON_CLI_EXEC_COMMAND_H_
#define CAISSON_CLI_EXEC_COMMAND_H_

#include <string>
#include <vector>

#include "cli/run_request.h"

namespace caisson::cli {

struct ExecOptions {
  RunOptions run;
  bool has_commands = false;  // run.script was given, perhaps empty
  bool list_files = false;    // only say what would be sent
};

// FILE and its arguments, or with -c the arguments alone, into `options`, with what follows from them: the
// profile of -c, where returned files go, and that standard input is sent only where it is asked for. What is
// wrong with the command line; empty: nothing.
std::string CompleteExec(std::vector<std::string> words, ExecOptions& options);

// Prints the paths that would be sent, one a line; asks no server. Returns the exit code.
int ListFilesCommand(const ExecOptions& options);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_EXEC_COMMAND_H_
