#include "cli/ps_command.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <utility>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/json_output.h"
#include "cli/result_text.h"
#include "cli/streams.h"
#include "cli/text.h"

namespace caisson::cli {
namespace {

constexpr size_t kMostRuns = 1'000;
constexpr char kDefaultTenant[] = "default";

}  // namespace

std::string RunsTable(const std::vector<v1::Run>& runs, int64_t now_seconds) {
  // Where all belong to the default tenant, its name says nothing.
  const bool tenants = std::any_of(runs.begin(), runs.end(), [](const v1::Run& run) {
    return !run.tenant().empty() && run.tenant() != kDefaultTenant;
  });
  std::vector<std::vector<std::string>> rows{{"NAME", "PROFILE", "STATE", "AGE", "VERDICT"}};
  for (const v1::Run& run : runs) {
    rows.push_back({Printable(run.name(), kMaxCellBytes), Printable(run.profile(), kMaxCellBytes),
                    StateText(run.state()), AgeBetween(now_seconds, run.create_time().seconds()),
                    run.has_result() ? VerdictText(run.result().verdict()) : "-"});
  }
  if (tenants) {
    rows[0].insert(rows[0].begin() + 1, "TENANT");
    for (size_t i = 0; i < runs.size(); ++i) {
      rows[i + 1].insert(rows[i + 1].begin() + 1, Printable(runs[i].tenant(), kMaxCellBytes));
    }
  }
  return TableText(rows);
}

int PsCommand(const PsOptions& options, const Server& server) {
  Client client(server);
  std::vector<v1::Run> runs;
  const std::string filter =
      options.filter.empty() && !options.all ? std::string("state != FINISHED") : options.filter;
  // Of live ones there are not more than the service runs at once.
  const size_t most = options.filter.empty() && !options.all ? std::numeric_limits<size_t>::max() : kMostRuns;
  if (const grpc::Status status = client.ListRuns(filter, most, runs); !status.ok()) {
    Complain(client.Explain(status));
    return kExitService;
  }
  if (options.json) {
    v1::ListRunsResponse response;
    for (v1::Run& run : runs) {
      *response.add_runs() = std::move(run);
    }
    return PrintJson(response);
  }
  return Print(RunsTable(runs, std::time(nullptr)));
}

}  // namespace caisson::cli
