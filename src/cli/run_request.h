// From the command line to an ExecuteRequest: reads files, parses NAME=VALUE. Touches no network.
#ifndef CAISSON_CLI_RUN_REQUEST_H_
#define CAISSON_CLI_RUN_REQUEST_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "cli/source_tree.h"

namespace caisson::cli {

struct RunOptions {
  std::string profile;  // empty: guessed from the file's extension
  bool json = false;
  bool no_stdin = false;
  std::vector<std::string> limits;  // NAME=VALUE
  std::vector<std::string> files;   // paths
  std::vector<std::string> env;     // NAME=VALUE
  std::vector<std::string> labels;  // NAME=VALUE
  int priority = 0;
  std::vector<std::string> packages;
  std::vector<std::string> output_paths;
  std::string outputs_directory;  // empty: the working directory, or nowhere with --json
  bool force = false;             // replace files that are there
  bool interactive = false;       // standard input as it comes, whatever it is
  bool tty = false;
  std::string output_overflow;  // "", "truncate" or "kill"
  double timeout_seconds = 0;   // 0: no deadline
  std::string main_file;        // "-": the program is read from standard input
  // Where set, all of that directory is sent, and main_file is a path in it.
  std::string source_directory;
  // Sent as /box/main_file instead of what the disk has; with source_directory only.
  std::string script;
  std::vector<std::string> args;
};

// Everything but the profile, the main file's name where standard input is the program, and standard input
// itself. kInvalidArgument: the command line is wrong, or names a file that cannot be read.
// kResourceExhausted: too large.
absl::StatusOr<v1::ExecuteRequest> BuildRequest(const RunOptions& options);

// Standard input: to `request.stdin`, or as the program where options.main_file is "-" (its name is then
// `default_main_file`, or "main"). Nothing is read from a terminal, or with no_stdin.
absl::Status AddStandardInput(const RunOptions& options, const std::string& default_main_file, int fd,
                              v1::ExecuteRequest& request);

// kResourceExhausted when the server would refuse the request for its size, in one message or in chunks.
absl::Status CheckRequestSize(const v1::ExecuteRequest& request);

// The one profile whose file extension `file` has. kInvalidArgument naming the choices when none or several
// have.
absl::StatusOr<v1::Profile> GuessProfile(const std::string& file, const std::vector<v1::Profile>& profiles);

// The directory of `caisson exec`, with no more than a request may have.
absl::StatusOr<std::vector<SourceFile>> ReadSources(const std::string& directory);

// "wall_time_ms=1000", "memory_bytes=64M" (K, M, G: powers of 1024, for _bytes only) into `limits`.
absl::Status ParseLimit(const std::string& text, v1::Limits& limits);

// Where --file PATH lands in /box: a relative path without ".." keeps its directories, everything else its
// last name.
std::string BoxPath(const std::string& path);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_RUN_REQUEST_H_
