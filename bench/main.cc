// caisson-bench: measures a running daemon as a client, beside the same programs without Caisson. Runs as any
// user who may use the socket; only --idle needs root. bench/README.md says how to read what it prints.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "bench/execute_client.h"
#include "bench/report.h"
#include "bench/work.h"
#include "common/status.h"

namespace caisson::bench {
namespace {

constexpr int kClients = 8;

struct Options {
  std::string socket;
  int rounds = 300;
  bool json = false;
  int idle_runs = 0;
  pid_t daemon_pid = 0;
};

absl::Status MeasureSpeed(ExecuteClient& client, int rounds, Report& report) {
  ASSIGN_OR_RETURN(const TemporaryDirectory directory, TemporaryDirectory::Make());
  ASSIGN_OR_RETURN(const std::vector<Work> works, MakeWorks(client, directory.path()));
  for (const Work& work : works) {
    ASSIGN_OR_RETURN(LatencyReport latency, MeasureLatency(client, work, rounds));
    report.latencies.push_back(std::move(latency));
  }
  for (const Work& work : works) {
    ASSIGN_OR_RETURN(ThroughputReport throughput, MeasureThroughput(client, work, kClients));
    report.throughputs.push_back(std::move(throughput));
  }
  return absl::OkStatus();
}

absl::StatusOr<Report> Measure(const Options& options) {
  Report report;
  ExecuteClient client(options.socket);
  report.host = ReadHost();
  report.load_before = ReadLoad();
  ASSIGN_OR_RETURN(report.server, client.GetServerInfo());
  if (options.idle_runs > 0) {
    ASSIGN_OR_RETURN(report.idle, MeasureIdle(client, options.daemon_pid, options.idle_runs));
  } else {
    RETURN_IF_ERROR(MeasureSpeed(client, options.rounds, report));
  }
  report.load_after = ReadLoad();
  return report;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures a running Caisson beside the same programs without it.", "caisson-bench");
  app.add_option("--socket", options.socket,
                 "The server's address, for example unix:/run/caisson/caisson.sock")
      ->required()
      ->type_name("ADDRESS");
  app.add_option("--rounds", options.rounds,
                 "Rounds of each work, without those for warming up (default 300)")
      ->check(CLI::Range(1, 1'000'000));
  app.add_flag("--json", options.json, "Print one JSON object");
  CLI::Option* daemon_pid =
      app.add_option("--daemon-pid", options.daemon_pid, "Process id of caissond, for --idle")
          ->check(CLI::PositiveNumber);
  app.add_option("--idle", options.idle_runs, "Instead of speed: memory and threads with N sleeping runs")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N")
      ->needs(daemon_pid);
  CLI11_PARSE(app, argc, argv);

  const absl::StatusOr<Report> report = Measure(options);
  if (!report.ok()) {
    std::fprintf(stderr, "caisson-bench: %s\n", Message(report.status()).c_str());
    return 1;
  }
  std::fputs((options.json ? ToJson(*report) : ToText(*report)).c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace caisson::bench

int main(int argc, char** argv) { return caisson::bench::Main(argc, argv); }
