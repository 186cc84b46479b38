#include "cli/exec_options.h"

#include <memory>

#include "cli/command_options.h"

namespace caisson::cli {
namespace {

// As RunFormatter: FILE and ARG are no options to CLI11.
class ExecFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* /*app*/, std::string name) const override {
    return "Usage: " + name + " [OPTIONS] FILE [ARG...]\n       " + name +
           " [OPTIONS] -c COMMANDS [ARG...]\n\n" +
           "FILE is a script in the directory that is sent. Everything after it is handed to it.\n";
  }
};

constexpr char kFooter[] =
    "All of DIR is sent but for .git and what its .caissonignore leaves out, whose lines are as those of\n"
    ".gitignore. The sandbox has no network: what the script needs lies in DIR or in the profile's root.\n"
    "Standard input is sent with --interactive or --tty only.\n"
    "\n"
    "Exit code: the script's own; else as that of `caisson run`.\n"
    "\n"
    "Examples:\n"
    "  caisson exec ci/test.sh\n"
    "  caisson exec --output report.xml --limit wall_time_ms=120000 ci/test.py --fast\n"
    "  caisson exec -C build-tools -c 'set -e; ./configure; ./check'";

}  // namespace

CLI::App* AddExec(CLI::App& app, ExecOptions& options, ServerOptions& server) {
  RunOptions& run = options.run;
  run.source_directory = ".";
  CLI::App* command = app.add_subcommand("exec", "Send a directory and run a script of it, as a CI job does");
  command->formatter(std::make_shared<ExecFormatter>());
  command->prefix_command();
  command->add_option("-C,--directory", run.source_directory, "What to send (default: the working directory)")
      ->type_name("DIR");
  command
      ->add_option_function<std::string>(
          "-c,--commands",
          [&options](const std::string& text) {
            options.run.script = text;
            options.has_commands = true;
          },
          "Run these commands instead of a script; under the profile bash unless --profile says otherwise")
      ->type_name("COMMANDS");
  command->add_flag("--list-files", options.list_files,
                    "Print what would be sent, one path a line, and send nothing");
  AddRequestOptions(*command, run);
  AddCallOptions(*command, run, "DIR");
  AddServer(*command, server);
  command->footer(kFooter);
  return command;
}

}  // namespace caisson::cli
