#include "orchestrator/finished_message.h"

#include <optional>

#include "ipc/codec.h"

namespace caisson::orchestrator {
namespace {

void AddCounters(Evidence& evidence, CgroupUsage& usage) {
  if (evidence.cause == EndCause::kOom && usage.oom_kills == 0) {
    // The event comes before the kernel has chosen a victim; our kill of the whole payload was faster than
    // its own.
    usage.oom_kills = 1;
  }
  evidence.oom_kills = usage.oom_kills;
  evidence.memory_peak_bytes = usage.memory_peak_bytes.value_or(0);
  if (usage.cpu_user_us && usage.cpu_system_us) {
    evidence.cpu_used_us = *usage.cpu_user_us + *usage.cpu_system_us;
  }
}

void FillUsage(const CgroupUsage& usage, ipc::Usage& out) {
  const auto copy = [&out](const std::optional<uint64_t>& value, uint64_t& target, uint32_t bit) {
    if (value) {
      target = *value;
      out.present |= bit;
    }
  };
  if (usage.cpu_system_us) {
    copy(usage.cpu_user_us, out.cpu_user_us, ipc::kUsageCpu);
    out.cpu_system_us = *usage.cpu_system_us;
  }
  copy(usage.memory_peak_bytes, out.memory_peak_bytes, ipc::kUsageMemoryPeak);
  if (usage.memory_parts) {
    out.present |= ipc::kUsageMemoryParts;
    out.memory_anonymous_bytes = usage.memory_parts->anonymous_bytes;
    out.memory_file_bytes = usage.memory_parts->file_bytes;
  }
  copy(usage.oom_kills, out.oom_kills, ipc::kUsageOomKills);
  copy(usage.pids_peak, out.pids_peak, ipc::kUsagePidsPeak);
  copy(usage.forks_denied, out.forks_denied, ipc::kUsageForksDenied);
}

void FillTimes(const RunTimes& times, ipc::Finished& finished) {
  if (times.exec_ns == 0) {
    return;
  }
  finished.start_ns = static_cast<uint64_t>(times.exec_ns - times.start_ns);
  finished.run_ns = static_cast<uint64_t>(times.exit_ns - times.exec_ns);
  finished.teardown_ns = static_cast<uint64_t>(times.gone_ns - times.exit_ns);
  finished.usage.present |= ipc::kUsageWallTime;
  finished.usage.wall_time_ns = finished.run_ns;
}

}  // namespace

ipc::Finished MakeFinished(ipc::SandboxId sandbox, Evidence& evidence, CgroupUsage usage,
                           const RunTimes& times, const ContextSwitches& switches) {
  AddCounters(evidence, usage);
  const Decision decision = Decide(evidence);
  auto finished = ipc::Make<ipc::Finished>();
  finished.sandbox = sandbox;
  finished.verdict = decision.verdict;
  finished.ended_by = decision.ended_by;
  finished.limit = decision.limit;
  finished.limit_value = decision.limit_value;
  finished.limit_observed = decision.limit_observed;
  finished.exited = evidence.main_ended && evidence.exited ? 1 : 0;
  finished.exit_code = evidence.exit_code;
  finished.term_signal = evidence.term_signal;
  finished.violation_syscall =
      decision.verdict == ipc::Verdict::kSyscallViolation ? evidence.violation_syscall : -1;
  finished.error = evidence.setup_error;
  FillUsage(usage, finished.usage);
  FillTimes(times, finished);
  if (evidence.main_ended) {
    finished.usage.present |= ipc::kUsageContextSwitches;
    finished.usage.voluntary_switches = switches.voluntary;
    finished.usage.involuntary_switches = switches.involuntary;
  }
  return finished;
}

}  // namespace caisson::orchestrator
