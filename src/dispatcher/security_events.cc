#include "dispatcher/security_events.h"

#include <algorithm>

#include "dispatcher/trace_context.h"

namespace caisson::dispatcher {
namespace {

std::string Number(const char* key, uint64_t value) { return std::string(key) + "=" + std::to_string(value); }

}  // namespace

std::vector<SecurityEvent> FindSecurityEvents(const v1::RunResult& result) {
  std::vector<SecurityEvent> events;
  uint64_t denials = 0;
  for (const v1::Denial& denial : result.denials()) {
    denials += denial.count();
  }
  const auto killed = std::find_if(result.denials().begin(), result.denials().end(),
                                   [](const v1::Denial& denial) { return denial.killed(); });
  if (killed != result.denials().end()) {
    events.push_back({"forbidden_call", "syscall=" + killed->name()});
  }
  if (denials >= kManyDenials || result.limit().name() == "denial_rate") {
    const std::string most = result.denials().empty() ? "none" : result.denials(0).name();
    events.push_back({"denial_burst", Number("count", denials) + " first=" + most});
  }
  const uint64_t unreturned =
      static_cast<uint64_t>(result.refused_outputs_size()) + result.refused_outputs_unlisted();
  if (result.usage().forks_denied() >= kManyRefusals) {
    events.push_back({"limit_probe", "limit=pids " + Number("count", result.usage().forks_denied())});
  }
  if (unreturned >= kManyRefusals) {
    events.push_back({"limit_probe", "limit=outputs " + Number("count", unreturned)});
  }
  if (result.limit().name() == "sockets") {
    events.push_back({"limit_probe", "limit=sockets " + Number("count", result.limit().observed())});
  }
  // Nothing of the client's ran, or init was not the last to go: a layer that did not hold, or somebody at
  // it.
  const bool ours = result.ended_by() == v1::SERVICE || result.ended_by() == v1::SUPERVISOR;
  if (ours && (result.verdict() == v1::SANDBOX_SETUP_FAILED || result.verdict() == v1::SERVICE_FAILED)) {
    events.push_back({"setup_failed", "verdict=" + v1::Verdict_Name(result.verdict())});
  }
  return events;
}

std::string SecurityLine(const SecurityEvent& event, const v1::Run& run, const std::string& tenant) {
  std::string line = std::string("security: event=") + event.name + " run=" + run.name() +
                     " tenant=" + tenant + " profile=" + run.profile() + " " + event.details;
  if (!run.traceparent().empty()) {
    line.append(" trace=").append(TraceIdOf(run.traceparent()));
  }
  return line;
}

}  // namespace caisson::dispatcher
