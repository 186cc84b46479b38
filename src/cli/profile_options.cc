#include "cli/profile_options.h"

#include <memory>
#include <string>

#include "cli/command_options.h"

namespace caisson::cli {
namespace {

constexpr char kProfilesHelp[] =
    "Directory of profile files (default: the installed ones, or those of this build)";

// Of a command that writes a profile.
void AddNewProfile(CLI::App& command, NewProfileOptions& options) {
  command
      .add_option("--profile", options.base,
                  "The profile that everything but the permitted calls is taken from")
      ->type_name("NAME")
      ->required();
  command
      .add_option("--name", options.name,
                  "The new profile's name (default: that of --output, or one made of --profile)")
      ->type_name("NAME");
  command.add_option("--output", options.output, "Where to write it (default: NAME.json)")->type_name("FILE");
  command.add_flag("--force", options.force, "Replace a file that is there already");
  command.add_option("--profiles", options.directory, kProfilesHelp)->type_name("DIR");
}

CLI::App* AddLearn(CLI::App& group, LearnOptions& learn, ServerOptions& server) {
  CLI::App* command =
      group.add_subcommand("learn", "Write a profile that allows what trusted programs call, and no more");
  command->formatter(std::make_shared<RunFormatter>());
  command->prefix_command();
  AddNewProfile(*command, learn.profile);
  AddList(
      *command, "--merge", learn.results, "RESULT",
      "A result that caisson run --json has printed on such a server; FILE may then be left out; repeatable");
  AddList(*command, "--limit", learn.run.limits, "NAME=VALUE", "Hold the run to this; repeatable");
  AddList(*command, "--file", learn.run.files, "PATH", "Put this file into /box too; repeatable");
  AddList(*command, "--env", learn.run.env, "NAME=VALUE", "Set an environment variable; repeatable");
  command->add_flag("-n,--no-stdin", learn.run.no_stdin, "Do not send standard input along");
  AddServer(*command, server);
  command->footer(
      "The server's configuration must name the profile in learning_profiles, and then serves nobody but "
      "root:\n"
      "never give programs to it that you do not trust. How often what was called, and what differs from the "
      "profile,\n"
      "is told on standard error.\n"
      "\n"
      "Examples:\n"
      "  sudo caisson profile learn --socket unix:/run/caisson-learn/caisson.sock --profile python "
      "report.py\n"
      "  sudo caisson run --json --socket unix:/run/caisson-learn/caisson.sock other.py > other.json\n"
      "  sudo caisson profile learn --profile python --name reports --merge other.json report.py");
  return command;
}

void AddImportAndExport(CLI::App& group, ProfileCommandOptions& options) {
  CLI::App* command =
      group.add_subcommand("import", "Write a profile that allows what a container's seccomp list does");
  AddNewProfile(*command, options.import.profile);
  command
      ->add_option("FILE", options.import.file, "The list: JSON, as Docker, Podman and OCI runtimes take it")
      ->required();
  command->footer(
      "Example:\n  caisson profile import --profile native --name podman /usr/share/containers/seccomp.json");
  command = group.add_subcommand("export", "Print a profile's filter as an OCI seccomp list");
  command->add_option("NAME", options.exported.name, "The profile")->required();
  command->add_option("--step", options.exported.step, "Whose filter")
      ->check(CLI::IsMember({"compile", "run"}))
      ->type_name("compile|run");
  command->add_option("--profiles", options.exported.directory, kProfilesHelp)->type_name("DIR");
  command->footer("Example:\n  caisson profile export python > python-seccomp.json");
}

}  // namespace

CLI::App* AddProfile(CLI::App& app, ProfileCommandOptions& options, ServerOptions& server) {
  CLI::App* group = app.add_subcommand("profile", "Look at profiles, the kinds of sandbox");
  group->require_subcommand(1);
  CLI::App* list = group->add_subcommand("list", "List the server's profiles");
  list->add_flag("--json", options.look.json, "Print a ListProfilesResponse as JSON");
  list->add_option("--profiles", options.look.directory,
                   "List this directory's profiles instead of the server's")
      ->type_name("DIR");
  AddServer(*list, server);
  CLI::App* lint =
      group->add_subcommand("lint", "Check profile files; exit 1 when there is something to mend");
  CLI::App* explain = group->add_subcommand("explain", "Say what a profile comes to");
  for (CLI::App* command : {lint, explain}) {
    command->add_option("NAME", options.look.name, "Only this profile");
    command->add_option("--profiles", options.look.directory, kProfilesHelp)->type_name("DIR");
  }
  CLI::App* install =
      group->add_subcommand("install", "Install the Debian package of a profile's toolchain, as root");
  install->add_option("NAME", options.install.name, "The profile")->required();
  install->add_flag("--libraries", options.install.libraries, "And those of the libraries it offers");
  install->add_flag("--dry-run", options.install.dry_run, "Only say which command would be run");
  install->add_option("--profiles", options.install.directory, kProfilesHelp)->type_name("DIR");
  CLI::App* learn = AddLearn(*group, options.learn, server);
  AddImportAndExport(*group, options);
  group->footer(
      "Examples:\n  caisson profile list\n  caisson profile lint --profiles ./profiles\n  caisson profile "
      "explain python\n  sudo caisson profile install ruby");
  return learn;
}

}  // namespace caisson::cli
