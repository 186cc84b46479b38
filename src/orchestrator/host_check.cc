#include "orchestrator/host_check.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "orchestrator/host_hardening.h"
#include "orchestrator/host_probes.h"

namespace caisson::orchestrator {
namespace {

const char* StateName(CheckState state) {
  switch (state) {
    case CheckState::kOk:
      return "ok";
    case CheckState::kWarn:
      return "warn";
    case CheckState::kFail:
      break;
  }
  return "fail";
}

ptrdiff_t Count(const std::vector<CheckResult>& results, CheckState state) {
  return std::count_if(results.begin(), results.end(),
                       [state](const CheckResult& result) { return result.state == state; });
}

}  // namespace

std::vector<CheckResult> CheckHost(const Config& config) {
  if (geteuid() != 0) {
    // Without root every other check would fail for this one reason.
    return {{"root", CheckState::kFail, "running as uid " + std::to_string(geteuid()),
             "run as root: sudo caissond --check"}};
  }
  std::vector<CheckResult> results{{"root", CheckState::kOk, "running as root", ""}};
  const auto add = [&results](std::vector<CheckResult> more) {
    std::move(more.begin(), more.end(), std::back_inserter(results));
  };
  add(ProbeNamespaces());
  add(ProbeUserNamespace(config.id_first));
  add(ProbeNetwork());
  add(ProbeMounts());
  add(ProbeProcesses());
  add(ProbeSeccomp());
  add(ProbeLandlock());
  add(ProbeCgroups(config));
  add(ProbeSetup(config));
  add({ProbeSandbox(config)});
  add(ProbeHardening());
  return results;
}

bool MayStart(const std::vector<CheckResult>& results) { return Count(results, CheckState::kFail) == 0; }

std::string FormatCheckText(const std::vector<CheckResult>& results) {
  size_t width = 0;
  for (const CheckResult& result : results) {
    width = std::max(width, result.name.size());
  }
  std::string text;
  for (const CheckResult& result : results) {
    std::string state = StateName(result.state);
    state.resize(6, ' ');
    text += state + result.name + std::string(width + 2 - result.name.size(), ' ') + result.detail + "\n";
    if (!result.mend.empty()) {
      text += "      " + std::string(width + 2, ' ') + "mend: " + result.mend + "\n";
    }
  }
  const auto failed = Count(results, CheckState::kFail);
  const auto warned = Count(results, CheckState::kWarn);
  text += std::to_string(results.size()) + " checks, " + std::to_string(failed) + " failed, " +
          std::to_string(warned) + (warned == 1 ? " warning\n" : " warnings\n");
  return text;
}

std::string FormatCheckJson(const std::vector<CheckResult>& results) {
  nlohmann::ordered_json document;
  document["schema_version"] = 1;
  document["ok"] = MayStart(results);
  document["checks"] = nlohmann::ordered_json::array();
  for (const CheckResult& result : results) {
    document["checks"].push_back({{"name", result.name},
                                  {"state", StateName(result.state)},
                                  {"detail", result.detail},
                                  {"mend", result.mend}});
  }
  // Details may quote host files; invalid UTF-8 in them must not throw.
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace caisson::orchestrator
