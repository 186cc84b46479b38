// What several commands' options have in common.
#ifndef CAISSON_CLI_COMMAND_OPTIONS_H_
#define CAISSON_CLI_COMMAND_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/run_request.h"
#include "cli/server.h"

namespace caisson::cli {

// FILE and ARG are not options to CLI11 (it would split an argument such as "[1,2]"), so it must be told to
// show them.
class RunFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* /*app*/, std::string name) const override {
    return "Usage: " + name + " [OPTIONS] FILE [ARG...]\n\n" +
           "FILE is the program; - reads it from standard input (needs --profile), which is then empty for "
           "the program.\n" +
           "Everything after FILE is handed to the program.\n";
  }
};

// --socket and --token-file.
void AddServer(CLI::App& command, ServerOptions& server);

// What `run`, `create` and `exec` say of a request.
void AddRequestOptions(CLI::App& command, RunOptions& run);

// What `run` and `create` send beside the program: more files, and standard input unless told otherwise.
void AddInputOptions(CLI::App& command, RunOptions& run);

// How `run` and `exec` wait for a run, talk to it and keep what it returns. `default_directory`: where
// returned files go otherwise, in words.
void AddCallOptions(CLI::App& command, RunOptions& run, const std::string& default_directory);

// One NAME=VALUE or PATH an option, the option as often as wanted.
void AddList(CLI::App& command, const std::string& name, std::vector<std::string>& values,
             const std::string& type, const std::string& help);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_COMMAND_OPTIONS_H_
