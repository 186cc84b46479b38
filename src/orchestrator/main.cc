// caissond: the supervisor. Started as root by a person or an init system; single-threaded; no network, no
// gRPC, no protobuf. Reads its command line, its configuration and profiles: all root's own.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "common/status.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/config.h"
#include "orchestrator/config_check.h"
#include "orchestrator/host_check.h"
#include "orchestrator/log_format.h"
#include "orchestrator/supervisor.h"
#include "sandbox/layers_outside.h"

namespace {

using caisson::Message;
using caisson::orchestrator::Config;

struct Options {
  std::string config_file;
  std::string socket;
  bool check = false;
  bool check_config = false;
  bool json = false;
};

void SetUpLog(const Config& config) {
  spdlog::set_default_logger(caisson::orchestrator::MakeLogger("caissond", config.log_format,
                                                               spdlog::level::from_str(config.log_level)));
}

int Fail(const std::string& message) {
  std::cerr << "caissond: " << message << "\n";
  return 1;
}

// A report that nobody got is no success.
bool IsPrinted() {
  if (std::cout.flush()) {
    return true;
  }
  Fail("standard output cannot be written");
  return false;
}

int Check(const Config& config, bool json) {
  const auto results = caisson::orchestrator::CheckHost(config);
  std::cout << (json ? caisson::orchestrator::FormatCheckJson(results)
                     : caisson::orchestrator::FormatCheckText(results));
  return IsPrinted() && caisson::orchestrator::MayStart(results) ? 0 : 1;
}

int CheckConfig(const std::string& config_file) {
  const auto result = caisson::orchestrator::CheckConfigFiles(config_file);
  std::cout << result.notes;
  const bool printed = IsPrinted();
  std::cerr << result.complaints;
  return printed && result.complaints.empty() ? 0 : 1;
}

// Under systemd, in somebody's session: asks for a scope of our own whose cgroups are ours, and starts again
// in it. Returns only if that is not needed or not possible; opening the cgroups then says what is missing.
void EnterDelegatedScope(char** argv) {
  constexpr char kOnce[] = "CAISSOND_IN_SCOPE";
  if (!caisson::orchestrator::NeedsDelegatedScope() ||
      getenv(kOnce) != nullptr) {  // NOLINT(concurrency-mt-unsafe)
    return;
  }
  setenv(kOnce, "1", 1);  // NOLINT(concurrency-mt-unsafe): one thread
  std::vector<char*> command;
  command.reserve(16);
  std::vector<std::string> words = {"systemd-run", "--scope",      "--collect", "--quiet",
                                    "-p",          "Delegate=yes", "--"};
  for (std::string& word : words) {
    command.push_back(word.data());
  }
  for (char** word = argv; *word != nullptr; ++word) {
    command.push_back(*word);
  }
  command.push_back(nullptr);
  execvp(command[0], command.data());
}

// A host that lacks a layer gets no daemon: each control is tried before anything is served (invariant 1).
bool HostHasEveryLayer(const Config& config) {
  const auto results = caisson::orchestrator::CheckHost(config);
  for (const auto& result : results) {
    if (result.state == caisson::orchestrator::CheckState::kFail) {
      std::cerr << "caissond: " << result.name << ": " << result.detail << "\n  mend: " << result.mend
                << "\n";
    } else if (result.state == caisson::orchestrator::CheckState::kWarn) {
      spdlog::warn("{}: {} ({})", result.name, result.detail, result.mend);
    }
  }
  return caisson::orchestrator::MayStart(results);
}

int Serve(const Config& config) {
  static_cast<void>(signal(SIGPIPE, SIG_IGN));  // A log reader that went away is no reason to end every run.
  SetUpLog(config);
  // A mutation build leaves a layer out on purpose and cannot pass.
  if (caisson::sandbox::LayersBuiltIn().complete && !HostHasEveryLayer(config)) {
    return Fail("this host lacks a layer; nothing is served (caissond --check shows all controls)");
  }
  auto supervisor = caisson::orchestrator::Supervisor::Create(config);
  if (!supervisor.ok()) {
    return Fail(Message(supervisor.status()));
  }
  if (const absl::Status status = (*supervisor)->Run(); !status.ok()) {
    return Fail(Message(status));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "caissond runs other people's programs, each in a sandbox of its own.\n"
      "It stays in the foreground and logs to standard error; SIGTERM stops it.",
      "caissond"};
  app.set_version_flag("--version", "caissond " CAISSON_VERSION);
  Options options;
  app.add_option("--config", options.config_file, "Configuration file (JSON); defaults hold without one")
      ->type_name("FILE");
  app.add_option("--socket", options.socket,
                 "Address to serve on, unix:/PATH; stronger than the configuration "
                 "[unix:/run/caisson/caisson.sock]")
      ->type_name("ADDRESS");
  auto* check = app.add_flag("--check", options.check,
                             "Test every control on this host by using it, say how to mend what fails");
  auto* check_config = app.add_flag("--check-config", options.check_config,
                                    "Read the configuration and its profiles as a start would, print each "
                                    "complaint with file, line and key; start nothing");
  app.add_flag("--json", options.json, "With --check: print JSON")->needs(check);
  check_config->excludes(check);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);  // help
      return IsPrinted() ? 0 : 1;
    }
    std::cerr << "caissond: " << error.what() << "; see caissond --help\n";
    return 2;
  }
  if (options.check_config) {
    return CheckConfig(options.config_file);
  }
  if (geteuid() != 0) {
    return Fail("must run as root: it makes namespaces, mounts and cgroups (try: sudo " +
                std::string(argv[0]) + ")");
  }
  Config config;
  if (!options.config_file.empty()) {
    absl::StatusOr<Config> loaded = caisson::orchestrator::LoadConfig(options.config_file);
    if (!loaded.ok()) {
      return Fail(Message(loaded.status()));
    }
    config = std::move(loaded).value();
  }
  if (!options.socket.empty()) {
    config.socket = options.socket;
  }
  if (options.check) {
    return Check(config, options.json);
  }
  EnterDelegatedScope(argv);
  return Serve(config);
}
