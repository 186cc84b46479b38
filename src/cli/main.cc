// caisson: the command line over the API. Runs as the user who calls it, without privileges; talks to one
// Unix socket.
#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/address.h"
#include "cli/admin_command.h"
#include "cli/cancel_command.h"
#include "cli/command_options.h"
#include "cli/doctor_command.h"
#include "cli/exec_options.h"
#include "cli/exit_code.h"
#include "cli/image_options.h"
#include "cli/policy_command.h"
#include "cli/profile_options.h"
#include "cli/ps_command.h"
#include "cli/run_command.h"
#include "cli/server.h"
#include "cli/stored_options.h"
#include "cli/streams.h"
#include "cli/token_command.h"
#include "cli/top_command.h"
#include "cli/two_dashes.h"
#include "cli/usage_text.h"
#include "cli/version_command.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

struct Options {
  ServerOptions server;
  RunOptions run;
  ExecOptions exec;
  PsOptions ps;
  TopOptions top;
  StoredOptions stored;
  ProfileCommandOptions profile;
  ImageOptions image;
  PolicyOptions policy;
  TokenOptions token;
  AdminOptions admin;
  std::string cancel_name;
  bool doctor_json = false;
  std::string doctor_config;
  bool version_json = false;
};

constexpr char kMainFooter[] =
    "Examples:\n"
    "  caisson run hello.py\n"
    "  caisson run --limit wall_time_ms=1000 --json main.py < input.txt\n"
    "  caisson ps --all\n"
    "\n"
    "The server is unix:/run/caisson/caisson.sock unless --socket or CAISSON_SOCKET says otherwise.\n"
    "`caisson COMMAND --help` tells more; caisson(1) tells all.";

constexpr char kRunFooter[] =
    "Limits: wall_time_ms, cpu_time_ms, memory_bytes, pids, output_bytes, disk_bytes, inode_count, "
    "open_files,\n"
    "file_size_bytes, stack_bytes, cpu_millis. Bytes may end in K, M or G. What is not given is the "
    "profile's default.\n"
    "\n"
    "Exit code: the program's own; 128+N when signal N ended it (159: a forbidden system call, 130: "
    "canceled);\n"
    "124 when a limit did; 1 when it does not compile; 125 when Caisson failed, refused or is not there; 2 "
    "for wrong usage.\n"
    "\n"
    "Examples:\n"
    "  caisson run hello.py\n"
    "  caisson run --profile python --limit memory_bytes=64M --limit wall_time_ms=2000 main.py 1 2 3\n"
    "  caisson run --file data/input.csv --json report.py\n"
    "  generate | caisson run --profile python -\n"
    "  caisson run --profile native ./a.out";

CLI::App* AddRun(CLI::App& app, Options& options) {
  RunOptions& run = options.run;
  CLI::App* command = app.add_subcommand("run", "Run a program in a sandbox of its own");
  command->formatter(std::make_shared<RunFormatter>());
  command->prefix_command();
  AddRequestOptions(*command, run);
  AddInputOptions(*command, run);
  AddCallOptions(*command, run, "the working directory");
  AddServer(*command, options.server);
  command->footer(kRunFooter);
  return command;
}

CLI::App* AddPs(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("ps", "List runs");
  command->add_flag("--all,-a", options.ps.all, "Finished runs too; the newest 1,000");
  command
      ->add_option("--filter", options.ps.filter,
                   "Only runs for which this holds: state, verdict, profile, request_id, create_time and "
                   "labels.KEY, compared and joined by AND; finished ones too")
      ->type_name("TEXT");
  command->add_flag("--json", options.ps.json, "Print a ListRunsResponse as JSON");
  AddServer(*command, options.server);
  command->footer(
      "Examples:\n  caisson ps --all\n  caisson ps --filter 'verdict = COMPLETED AND labels.team = a'");
  return command;
}

CLI::App* AddTop(CLI::App& app, Options& options) {
  TopOptions& top = options.top;
  CLI::App* command = app.add_subcommand("top", "Show live runs, drawn anew every moment; q ends it");
  command->add_option("--interval", top.interval_seconds, "How long to wait for the next look (default: 1)")
      ->check([](const std::string& text) {
        double seconds = 0;
        const bool good = CLI::detail::lexical_cast(text, seconds) && seconds >= 0.1 && seconds <= 3600;
        return good ? "" : "must be from 0.1 to 3600 seconds, not " + text;
      })
      ->type_name("SECONDS");
  command->add_flag("--once", top.once, "Print one picture and end; so it is without a terminal");
  AddServer(*command, options.server);
  command->footer(
      "Through an operator's socket it shows every tenant's runs, through others the tenant's "
      "own.\n\nExample:\n"
      "  caisson top --socket unix:/run/caisson-tenants/operator.sock");
  return command;
}

CLI::App* AddCancel(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("cancel", "End a run");
  command->add_option("NAME", options.cancel_name, "As `caisson ps` shows it, with or without runs/")
      ->required();
  AddServer(*command, options.server);
  command->footer("Example:\n  caisson cancel runs/0123456789abcdef0123456789abcdef");
  return command;
}

CLI::App* AddDoctor(CLI::App& app, Options& options) {
  CLI::App* command =
      app.add_subcommand("doctor", "Try every control on this host and say how to mend what fails");
  command->add_flag("--json", options.doctor_json, "Print the report as JSON");
  command->add_option("--config", options.doctor_config, "The daemon's configuration file")
      ->type_name("FILE");
  command->footer(
      "It runs `caissond --check`; exit code and output are that program's.\n\nExample:\n  sudo caisson "
      "doctor");
  return command;
}

CLI::App* AddVersion(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("version", "Print this program's version and the server's");
  command->add_flag("--json", options.version_json, "Print JSON");
  AddServer(*command, options.server);
  return command;
}

int Fail(const std::string& line) {
  Complain(line);
  return kExitUsage;
}

// `rest`: what follows "--". What CLI11 left over before it are FILE and its arguments, or an option that
// there is not. kExitOk, and `words` has both; or what to exit with.
int TakeWords(const CLI::App& command, std::vector<std::string> rest, std::vector<std::string>& words) {
  const std::vector<std::string> left = command.remaining();
  if (!left.empty() && left.front().size() > 1 && left.front().front() == '-') {
    return Fail(command.get_name() + ": " + UnknownOptionText(command, left.front()) + "; see caisson " +
                command.get_name() + " --help");
  }
  words = left;
  words.insert(words.end(), rest.begin(), rest.end());
  return kExitOk;
}

int TakeProgram(const CLI::App& command, RunOptions& run, std::vector<std::string> rest) {
  const std::string& name = command.get_name();
  std::vector<std::string> words;
  if (const int code = TakeWords(command, std::move(rest), words); code != kExitOk) {
    return code;
  }
  if (words.empty()) {
    return Fail(name + ": FILE is missing; see caisson " + name + " --help");
  }
  run.main_file = words.front();
  run.args.assign(words.begin() + 1, words.end());
  if (run.main_file == "-" && run.profile.empty()) {
    return Fail(name + ": a program from standard input needs --profile");
  }
  return kExitOk;
}

// What `run` and `exec` hold standard input to.
std::string TerminalComplaint(const RunOptions& run) {
  if (run.tty && run.json) {
    return "--tty and --json exclude each other";
  }
  return run.tty && isatty(STDIN_FILENO) == 0 ? "--tty needs a terminal on standard input" : "";
}

int Run(const CLI::App& command, Options& options, std::vector<std::string> rest, const Server& server) {
  if (const int code = TakeProgram(command, options.run, std::move(rest)); code != kExitOk) {
    return code;
  }
  if ((options.run.tty || options.run.interactive) &&
      (options.run.no_stdin || options.run.main_file == "-")) {
    return Fail("run: --tty and --interactive need standard input for the program");
  }
  if (const std::string complaint = TerminalComplaint(options.run); !complaint.empty()) {
    return Fail("run: " + complaint);
  }
  return RunCommand(options.run, server);
}

int Exec(const CLI::App& command, ExecOptions& options, std::vector<std::string> rest, const Server& server) {
  std::vector<std::string> words;
  if (const int code = TakeWords(command, std::move(rest), words); code != kExitOk) {
    return code;
  }
  if (const std::string complaint = CompleteExec(std::move(words), options); !complaint.empty()) {
    return Fail("exec: " + complaint + "; see caisson exec --help");
  }
  if (const std::string complaint = TerminalComplaint(options.run); !complaint.empty()) {
    return Fail("exec: " + complaint);
  }
  return options.list_files ? ListFilesCommand(options) : RunCommand(options.run, server);
}

int Learn(CLI::App& command, Options& options, const Server& server) {
  RunOptions& run = options.profile.learn.run;
  const std::vector<std::string> rest = command.remaining();
  if (!rest.empty() && rest.front().size() > 1 && rest.front().front() == '-') {
    return Fail("profile learn: " + UnknownOptionText(command, rest.front()) +
                "; see caisson profile learn --help");
  }
  if (rest.empty() && options.profile.learn.results.empty()) {
    return Fail("profile learn: FILE is missing, or --merge; see caisson profile learn --help");
  }
  if (!rest.empty()) {
    run.main_file = rest.front();
    run.args.assign(rest.begin() + 1, rest.end());
  }
  run.profile = options.profile.learn.profile.base;
  return LearnCommand(options.profile.learn, server);
}

// Those that need no server.
int OfflineProfileCommand(const CLI::App& group, const Options& options) {
  if (group.got_subcommand("import")) {
    return ProfileImportCommand(options.profile.import);
  }
  if (group.got_subcommand("export")) {
    return ProfileExportCommand(options.profile.exported);
  }
  if (group.got_subcommand("install")) {
    return InstallCommand(options.profile.install);
  }
  return group.got_subcommand("lint") ? ProfileLintCommand(options.profile.look)
                                      : ProfileExplainCommand(options.profile.look);
}

// "--json=no" would otherwise mean what nobody can guess.
void LetFlagsTakeNoValue(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    if (!TakesValue(*option)) {
      option->disable_flag_override();
    }
  }
  for (CLI::App* below : command.get_subcommands([](CLI::App*) { return true; })) {
    LetFlagsTakeNoValue(*below);
  }
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Runs untrusted programs, each in a fresh sandbox.", "caisson");
  app.set_version_flag("--version", "caisson " CAISSON_VERSION);
  app.require_subcommand(1);
  AddServer(app, options.server);
  CLI::App* run = AddRun(app, options);
  CLI::App* exec = AddExec(app, options.exec, options.server);
  CLI::App* create = AddCreate(app, options.stored, options.server);
  CLI::App* follow = AddFollow(app, options.stored, options.server);
  CLI::App* get = AddGet(app, options.stored, options.server);
  CLI::App* ps = AddPs(app, options);
  CLI::App* top = AddTop(app, options);
  CLI::App* cancel = AddCancel(app, options);
  CLI::App* learn = AddProfile(app, options.profile, options.server);
  CLI::App* image = AddImage(app, options.image);
  CLI::App* policy = AddPolicy(app, options.policy);
  CLI::App* token = AddToken(app, options.token);
  CLI::App* admin = AddAdmin(app, options.admin, options.server);
  CLI::App* doctor = AddDoctor(app, options);
  CLI::App* version = AddVersion(app, options);
  LetFlagsTakeNoValue(app);
  app.footer(kMainFooter);  // last: a command without a footer of its own would inherit it
  // What protobuf would say on standard error of words that are not UTF-8, the server says better.
  google::protobuf::SetLogHandler(nullptr);
  const int words =
      std::min({WordsBeforeDashes(app, *run, argc, argv), WordsBeforeDashes(app, *exec, argc, argv),
                WordsBeforeDashes(app, *create, argc, argv)});
  try {
    app.parse(words, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      std::ostringstream help;
      app.exit(error, help);
      return Print(help.str());
    }
    return Fail(UsageText(app, argc, argv, error));
  }

  if (doctor->parsed()) {
    return DoctorCommand(options.doctor_json, options.doctor_config);
  }
  // A reader that went away is an error of write(2), not the end of this program: the run must be canceled
  // first.
  signal(SIGPIPE, SIG_IGN);
  if (app.got_subcommand("profile") && !learn->parsed() &&
      !app.get_subcommand("profile")->got_subcommand("list")) {
    return OfflineProfileCommand(*app.get_subcommand("profile"), options);
  }
  if (image->parsed()) {
    return ImageBuildCommand(options.image);
  }
  if (policy->parsed()) {
    return PolicyCommand(*policy, options.policy);
  }
  if (token->parsed()) {
    return TokenCommand(*token, options.token);
  }
  if (admin->parsed()) {
    return AdminCommand(*admin, options.admin, options.server);
  }
  const absl::StatusOr<Server> server =
      ResolveServer(options.server, std::getenv(kSocketVariable), std::getenv(kTokenFileVariable));
  if (!server.ok()) {
    return Fail(Message(server.status()));
  }
  const std::vector<std::string> rest(argv + std::min(words + 1, argc), argv + argc);
  if (run->parsed()) {
    return Run(*run, options, rest, *server);
  }
  if (exec->parsed()) {
    return Exec(*exec, options.exec, rest, *server);
  }
  if (create->parsed()) {
    const int code = TakeProgram(*create, options.stored.create.run, rest);
    return code == kExitOk ? CreateCommand(options.stored.create, *server) : code;
  }
  if (follow->parsed()) {
    return FollowCommand(options.stored.follow, *server);
  }
  if (get->parsed()) {
    return GetCommand(options.stored.get, *server);
  }
  if (learn->parsed()) {
    return Learn(*learn, options, *server);
  }
  if (ps->parsed()) {
    return PsCommand(options.ps, *server);
  }
  if (top->parsed()) {
    return TopCommand(options.top, *server);
  }
  if (cancel->parsed()) {
    return CancelCommand(options.cancel_name, *server);
  }
  if (version->parsed()) {
    return VersionCommand(options.version_json, *server);
  }
  return ProfileListCommand(options.profile.look, *server);
}

}  // namespace
}  // namespace caisson::cli

// A closed descriptor 0, 1 or 2 would be handed to the next open(2), and what a library keeps there be read
// as the program's input. gRPC opens an eventfd before main runs, so this must run before the libraries'
// constructors do. Nothing can be written to the one that stands for standard output: results that go nowhere
// are an error, as with /dev/full.
extern "C" void CaissonEnsureStandardDescriptors(int /*argc*/, char** /*argv*/, char** /*environment*/) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    const int mode = fd == STDERR_FILENO ? O_WRONLY : O_RDONLY;
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", mode) != fd) {
      _exit(caisson::cli::kExitService);
    }
  }
}
__attribute__((section(".preinit_array"), used)) static void (*const kEnsureStandardDescriptors)(
    int, char**, char**) = CaissonEnsureStandardDescriptors;

int main(int argc, char** argv) { return caisson::cli::Main(argc, argv); }
