#include "cli/command_options.h"

namespace caisson::cli {
namespace {

constexpr double kMaxTimeoutSeconds = 1e7;

}  // namespace

void AddServer(CLI::App& command, ServerOptions& server) {
  command
      .add_option("--socket", server.socket,
                  "The server's address (default: $CAISSON_SOCKET, then unix:/run/caisson/caisson.sock)")
      ->type_name("ADDRESS");
  command
      .add_option("--token-file", server.token_file,
                  "Show the token in this file, where the server asks for one (default: $CAISSON_TOKEN_FILE)")
      ->type_name("FILE");
}

void AddRequestOptions(CLI::App& command, RunOptions& run) {
  command
      .add_option("--profile", run.profile, "The kind of sandbox; by default guessed from FILE's extension")
      ->type_name("NAME");
  AddList(command, "--limit", run.limits, "NAME=VALUE", "Hold the run to this; repeatable");
  AddList(command, "--env", run.env, "NAME=VALUE", "Set an environment variable; repeatable");
  AddList(command, "--label", run.labels, "NAME=VALUE", "Label the run; repeatable");
  command
      .add_option("--priority", run.priority,
                  "Among your own waiting runs, -10 to 10; each step is worth having come 10 s earlier")
      ->type_name("N");
  AddList(command, "--output", run.output_paths, "PATH",
          "Return this file or directory of /box, after the program's end; repeatable");
  AddList(command, "--package", run.packages, "NAME", "A library of the profile that is needed; repeatable");
  command
      .add_option("--output-overflow", run.output_overflow,
                  "When a stream reaches output_bytes: drop the rest, or end the run")
      ->check([](const std::string& text) {
        return text == "truncate" || text == "kill" ? "" : "must be truncate or kill, not " + text;
      })
      ->type_name("truncate|kill");
}

void AddInputOptions(CLI::App& command, RunOptions& run) {
  AddList(command, "--file", run.files, "PATH", "Put this file into /box too; repeatable");
  command.add_flag("-n,--no-stdin", run.no_stdin, "Do not send standard input along");
}

void AddCallOptions(CLI::App& command, RunOptions& run, const std::string& default_directory) {
  command.add_flag("--json", run.json,
                   "Print one JSON object with the result and both streams instead of passing them through");
  command
      .add_option("--outputs-dir", run.outputs_directory,
                  "Put returned files there (default: " + default_directory + "; with --json, nowhere)")
      ->type_name("DIR");
  command.add_flag("--force", run.force, "Replace files that are there already");
  command.add_flag("-i,--interactive", run.interactive,
                   "Send standard input as it comes, instead of all of it before the start");
  command.add_flag("-t,--tty", run.tty, "Give the program a terminal: this one");
  command.add_option("--timeout", run.timeout_seconds, "Cancel the run after this time, waiting included")
      ->check([](const std::string& text) {
        double seconds = 0;
        const bool good =
            CLI::detail::lexical_cast(text, seconds) && seconds >= 0.001 && seconds <= kMaxTimeoutSeconds;
        return good ? "" : "must be from 0.001 to 10000000 seconds, not " + text;
      })
      ->type_name("SECONDS");
}

void AddList(CLI::App& command, const std::string& name, std::vector<std::string>& values,
             const std::string& type, const std::string& help) {
  command.add_option(name, values, help)->type_name(type)->allow_extra_args(false);
}

}  // namespace caisson::cli
