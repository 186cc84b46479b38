#include "cli/stored_options.h"

#include <memory>

#include "cli/command_options.h"

namespace caisson::cli {
namespace {

constexpr char kNameHelp[] = "As `caisson ps` shows it, with or without runs/";

void AddOffset(CLI::App& command, const std::string& name, uint64_t& offset, const std::string& help) {
  command.add_option(name, offset, help)
      ->check([](const std::string& text) {
        // strtoull(3), behind CLI11, would take a minus sign.
        const bool good = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        return good ? "" : "must be a number of bytes, not " + text;
      })
      ->type_name("BYTES");
}

}  // namespace

CLI::App* AddCreate(CLI::App& app, StoredOptions& options, ServerOptions& server) {
  CreateOptions& create = options.create;
  CLI::App* command = app.add_subcommand("create", "Start a run that goes on by itself, and print its name");
  command->formatter(std::make_shared<RunFormatter>());
  command->prefix_command();
  AddRequestOptions(*command, create.run);
  AddInputOptions(*command, create.run);
  command
      ->add_option("--request-id", create.request_id,
                   "The same id and request again is the same run, also after a restart of the service")
      ->type_name("ID");
  command->add_flag("--json", create.json, "Print the Run as JSON instead of its name");
  AddServer(*command, server);
  command->footer(
      "Standard input is read to its end and sent along.\n\nExample:\n"
      "  run=$(caisson create --request-id nightly-7 -n report.py) && caisson follow $run");
  return command;
}

CLI::App* AddFollow(CLI::App& app, StoredOptions& options, ServerOptions& server) {
  FollowOptions& follow = options.follow;
  CLI::App* command = app.add_subcommand("follow", "Pass on what a created run puts out, to its end");
  command->add_option("NAME", follow.name, kNameHelp)->required();
  command->add_flag("--json", follow.json,
                    "Print one JSON object with the result and both streams instead of passing them through");
  AddOffset(*command, "--stdout-offset", follow.stdout_offset,
            "Leave out this many bytes of standard output");
  AddOffset(*command, "--stderr-offset", follow.stderr_offset, "Leave out this many bytes of standard error");
  command
      ->add_option("--outputs-dir", follow.outputs_directory,
                   "Put returned files there (default: they are not kept)")
      ->type_name("DIR");
  command->add_flag("--force", follow.force, "Replace files that are there already");
  AddServer(*command, server);
  command->footer(
      "Exit code: as that of `caisson run`. Ctrl-C ends the following, not the run. A connection that is "
      "lost is made anew,\nand no byte is lost or printed twice.\n\nExample:\n"
      "  caisson follow runs/0123456789abcdef0123456789abcdef");
  return command;
}

CLI::App* AddGet(CLI::App& app, StoredOptions& options, ServerOptions& server) {
  CLI::App* command = app.add_subcommand("get", "Show what is known of one run");
  command->add_option("NAME", options.get.name, kNameHelp)->required();
  command->add_flag("--json", options.get.json, "Print the Run as JSON");
  AddServer(*command, server);
  command->footer("Example:\n  caisson get runs/0123456789abcdef0123456789abcdef");
  return command;
}

}  // namespace caisson::cli
