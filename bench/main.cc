// caisson-bench: measures a running daemon as a client, beside the same programs without Caisson. Runs as any
// user who may use the socket; only --idle needs root. bench/README.md says how to read what it prints.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "bench/execute_client.h"
#include "bench/floor.h"
#include "bench/http_door.h"
#include "bench/peers.h"
#include "bench/report.h"
#include "bench/work.h"
#include "common/status.h"

namespace caisson::bench {
namespace {

constexpr int kClients = 8;

struct Options {
  std::string socket;
  int rounds = 300;
  std::string json;
  std::string commit;
  std::vector<std::string> peers;
  uint16_t gateway_port = 0;
  int idle_runs = 0;
  pid_t daemon_pid = 0;
};

absl::Status MeasureSpeed(ExecuteClient& client, const Options& options, Report& report) {
  ASSIGN_OR_RETURN(const TemporaryDirectory directory, TemporaryDirectory::Make());
  ASSIGN_OR_RETURN(const std::vector<Work> works, MakeWorks(client, directory.path()));
  ASSIGN_OR_RETURN(const std::unique_ptr<Floor> floor, Floor::Start(directory.path()));
  Contest contest{client, *floor, {}, std::nullopt};
  if (options.gateway_port != 0) {
    ASSIGN_OR_RETURN(contest.gateway, HttpDoor::Connect(options.gateway_port));
  }
  for (const std::string& text : options.peers) {
    ASSIGN_OR_RETURN(Peer peer, ParsePeer(text, directory.path()));
    contest.peers.push_back(std::move(peer));
  }
  for (const Work& work : works) {
    ASSIGN_OR_RETURN(LatencyReport latency, MeasureLatency(contest, work, options.rounds));
    report.latencies.push_back(std::move(latency));
    contest.peers.clear();  // They run the first work, `true`.
  }
  for (const Work& work : works) {
    ASSIGN_OR_RETURN(ThroughputReport throughput, MeasureThroughput(client, *floor, work, kClients));
    report.throughputs.push_back(std::move(throughput));
  }
  return absl::OkStatus();
}

absl::StatusOr<Report> Measure(const Options& options) {
  Report report;
  ExecuteClient client(options.socket);
  report.host = ReadHost();
  report.load_before = ReadLoad();
  report.commit = options.commit;
  ASSIGN_OR_RETURN(report.server, client.GetServerInfo());
  if (options.idle_runs > 0) {
    ASSIGN_OR_RETURN(report.idle, MeasureIdle(client, options.daemon_pid, options.idle_runs));
  } else {
    RETURN_IF_ERROR(MeasureSpeed(client, options, report));
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
  app.add_option("--json", options.json, "Write one JSON object to this file, too")->type_name("FILE");
  app.add_option("--commit", options.commit, "What the programs were built from, for the JSON object");
  app.add_option(
         "--peer", options.peers,
         "Another sandbox's command for `true`, measured in the same rounds: NAME=/PATH ARGUMENT...; more "
         "than once")
      ->allow_extra_args(false);
  app.add_option("--gateway-port", options.gateway_port,
                 "A caisson-gateway before the same daemon: what the same calls take through it")
      ->check(CLI::Range(1, 65'535))
      ->type_name("PORT");
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
  std::fputs(ToText(*report).c_str(), stdout);
  if (!options.json.empty()) {
    std::ofstream file(options.json);
    file << ToJson(*report);
    file.close();
    if (!file) {
      std::fprintf(stderr, "caisson-bench: cannot write %s\n", options.json.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace caisson::bench

int main(int argc, char** argv) { return caisson::bench::Main(argc, argv); }
