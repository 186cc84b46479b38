#include "dispatcher/convert.h"

#include <utility>

#include "dispatcher/denial_log.h"
#include "dispatcher/requested_limits.h"
#include "policy/filter_compiler.h"
#include "policy/limits.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr uint64_t kNanosPerMilliUnsigned = 1'000'000;
constexpr uint64_t kMicrosPerMilli = 1'000;

// The enumerators have the same numbers on both sides, which these hold.
static_assert(static_cast<int>(v1::COMPLETED) == static_cast<int>(ipc::Verdict::kCompleted) &&
              static_cast<int>(v1::WALL_TIME_LIMIT) == static_cast<int>(ipc::Verdict::kWallTimeLimit) &&
              static_cast<int>(v1::CANCELED) == static_cast<int>(ipc::Verdict::kCanceled) &&
              static_cast<int>(v1::SERVICE_FAILED) == static_cast<int>(ipc::Verdict::kServiceFailed));
static_assert(static_cast<int>(v1::PROGRAM) == static_cast<int>(ipc::Actor::kProgram) &&
              static_cast<int>(v1::CLIENT) == static_cast<int>(ipc::Actor::kClient) &&
              static_cast<int>(v1::SERVICE) == static_cast<int>(ipc::Actor::kService));

v1::Verdict ToProto(ipc::Verdict verdict) { return static_cast<v1::Verdict>(verdict); }
v1::Actor ToProto(ipc::Actor actor) { return static_cast<v1::Actor>(actor); }

void SetDuration(uint64_t nanos, google::protobuf::Duration* duration) {
  const auto value = static_cast<int64_t>(nanos);
  duration->set_seconds(value / kNanosPerSecond);
  duration->set_nanos(static_cast<int32_t>(value % kNanosPerSecond));
}

void FillUsage(const ipc::Usage& from, v1::Usage* usage) {
  if ((from.present & ipc::kUsageWallTime) != 0) {
    usage->set_wall_time_ms(from.wall_time_ns / kNanosPerMilliUnsigned);
  }
  if ((from.present & ipc::kUsageCpu) != 0) {
    usage->set_cpu_user_ms(from.cpu_user_us / kMicrosPerMilli);
    usage->set_cpu_system_ms(from.cpu_system_us / kMicrosPerMilli);
  }
  if ((from.present & ipc::kUsageMemoryPeak) != 0) {
    usage->set_memory_peak_bytes(from.memory_peak_bytes);
  }
  if ((from.present & ipc::kUsageMemoryParts) != 0) {
    usage->set_memory_anonymous_bytes(from.memory_anonymous_bytes);
    usage->set_memory_file_bytes(from.memory_file_bytes);
  }
  if ((from.present & ipc::kUsageOomKills) != 0) {
    usage->set_oom_kills(from.oom_kills);
  }
  if ((from.present & ipc::kUsagePidsPeak) != 0) {
    usage->set_pids_peak(from.pids_peak);
  }
  if ((from.present & ipc::kUsageForksDenied) != 0) {
    usage->set_forks_denied(from.forks_denied);
  }
  if ((from.present & ipc::kUsageContextSwitches) != 0) {
    usage->set_voluntary_context_switches(from.voluntary_switches);
    usage->set_involuntary_context_switches(from.involuntary_switches);
  }
}

void FillTimings(const StepOutcome& outcome, v1::Timings* timings) {
  if (outcome.setup_ns == 0) {
    return;  // There was no sandbox, so there is nothing to time.
  }
  SetDuration(outcome.setup_ns, timings->mutable_setup());
  SetDuration(outcome.finished.start_ns, timings->mutable_start());
  SetDuration(outcome.finished.run_ns, timings->mutable_run());
  SetDuration(outcome.finished.teardown_ns, timings->mutable_teardown());
}

void FillCount(const OutputCount& from, v1::StreamCount* count) {
  count->set_bytes(from.bytes);
  count->set_delivered_bytes(from.delivered_bytes);
  count->set_truncated(from.truncated);
}

// What RunResult and StepResult have in common.
template <typename Message>
void FillEnd(const StepOutcome& outcome, Message* message) {
  const ipc::Finished& finished = outcome.finished;
  message->set_verdict(ToProto(finished.verdict));
  if (finished.exited != 0) {
    message->set_exit_code(finished.exit_code);
  } else if (finished.term_signal != 0) {
    message->set_signal(finished.term_signal);
  }
  if (finished.limit != ipc::LimitName::kNone) {
    message->mutable_limit()->set_name(LimitFieldName(finished.limit));
    message->mutable_limit()->set_limit(finished.limit_value);
    message->mutable_limit()->set_observed(finished.limit_observed);
  }
  FillUsage(finished.usage, message->mutable_usage());
  FillTimings(outcome, message->mutable_timings());
}

void FillOutputs(const RunOutcome& outcome, v1::RunResult* result) {
  const CollectedOutputs& outputs = outcome.outputs;
  result->mutable_outputs()->Add(outputs.files.begin(), outputs.files.end());
  result->mutable_refused_outputs()->Add(outputs.refusals.begin(), outputs.refusals.end());
  result->set_refused_outputs_unlisted(outputs.unlisted_refusals);
  // Of a program that never started nothing was to be collected.
  result->set_outputs_incomplete(outcome.outputs_asked_for && outcome.steps.back().started &&
                                 outcome.steps.back().step == ipc::Step::kRun && !outputs.complete);
}

void AddObserved(const StepOutcome& step, v1::RunResult* result) {
  for (const wire::Event& event : step.observed) {
    v1::ObservedCall* call = result->add_observed_calls();
    call->set_step(StepName(step.step));
    call->set_name(policy::SyscallName(event.syscall_number));
    call->set_count(event.count);
    for (const uint64_t argument : event.args) {
      call->add_args(argument);
    }
  }
  result->set_observed_calls_unlisted(result->observed_calls_unlisted() + step.observed_unlisted);
}

}  // namespace

v1::RunEvent QueuedEvent(uint32_t position) {
  v1::RunEvent event;
  event.mutable_queued()->set_position(position);
  return event;
}

v1::RunEvent AcceptedEvent(const std::string& name) {
  v1::RunEvent event;
  event.mutable_accepted()->set_name(name);
  return event;
}

v1::RunEvent StartedEvent(const ipc::IsolationReport& report) {
  v1::RunEvent event;
  *event.mutable_started()->mutable_isolation() = IsolationToProto(report);
  return event;
}

v1::RunEvent OutputEvent(ipc::Step step, v1::Stream stream, uint64_t offset, std::string data) {
  v1::RunEvent event;
  v1::Output* output = event.mutable_output();
  output->set_step(StepName(step));
  output->set_stream(stream);
  output->set_offset(offset);
  output->set_data(std::move(data));
  return event;
}

v1::RunEvent DenialEvent(ipc::Step step, const wire::Event& event) {
  v1::RunEvent message;
  *message.mutable_denial() = DenialToProto(step, event);
  return message;
}

v1::RunEvent OutputFileEvent(const std::string& path, uint64_t offset, std::string data, uint64_t size_bytes,
                             bool executable) {
  v1::RunEvent event;
  v1::OutputFile* file = event.mutable_output_file();
  file->set_path(path);
  file->set_offset(offset);
  file->set_data(std::move(data));
  file->set_size_bytes(size_bytes);
  file->set_executable(executable);
  return event;
}

v1::RunEvent StepFinishedEvent(const StepOutcome& step) {
  v1::RunEvent event;
  v1::StepFinished* message = event.mutable_step_finished();
  message->set_step(StepName(step.step));
  message->set_verdict(ToProto(step.finished.verdict));
  if (step.finished.exited != 0) {
    message->set_exit_code(step.finished.exit_code);
  }
  return event;
}

v1::RunEvent FinishedEvent(const v1::RunResult& result) {
  v1::RunEvent event;
  *event.mutable_finished() = result;
  return event;
}

v1::RunResult ResultToProto(const RunOutcome& outcome) {
  const StepOutcome& last = outcome.steps.back();
  v1::RunResult result;
  // A compiler's exit code, limit and usage are those of its step, not of the program's run.
  if (last.step == ipc::Step::kRun) {
    FillEnd(last, &result);
    FillCount(last.stdout_count, result.mutable_stdout());
    FillCount(last.stderr_count, result.mutable_stderr());
  }
  result.set_verdict(EndsAsCompileFailed(last) ? v1::COMPILE_FAILED : ToProto(last.finished.verdict));
  SetDuration(static_cast<uint64_t>(outcome.queue_ns), result.mutable_timings()->mutable_queue());
  result.set_ended_by(ToProto(last.finished.ended_by));
  const bool cut_off = last.finished.verdict == ipc::Verdict::kCanceled && !outcome.input_complaint.empty();
  result.set_message(cut_off ? "Canceled: " + outcome.input_complaint + "." : OutcomeSentence(last));
  if (last.isolation.has_value()) {
    *result.mutable_isolation() = IsolationToProto(*last.isolation);
  }
  std::vector<StepDenials> denials_of_steps;
  for (const StepOutcome& step : outcome.steps) {
    denials_of_steps.push_back({step.step, &step.denials});
    AddObserved(step, &result);
    if (step.isolation.has_value()) {
      v1::StepResult* message = result.add_steps();
      message->set_step(StepName(step.step));
      message->set_diagnostics(step.diagnostics);
      FillEnd(step, message);
    }
  }
  const std::vector<v1::Denial> denials = SummarizeDenials(denials_of_steps);
  result.mutable_denials()->Add(denials.begin(), denials.end());
  FillOutputs(outcome, &result);
  return result;
}

v1::Profile ProfileToProto(const CatalogEntry& entry) {
  const policy::Profile& profile = entry.profile;
  v1::Profile message;
  message.set_name(profile.name);
  message.set_display_name(profile.display_name);
  message.set_description(profile.description);
  message.set_toolchain_version(entry.toolchain_version);
  message.set_file_extension(profile.file_extension);
  message.set_default_main_file(profile.default_main_file);
  message.set_hello_program(profile.hello_program);
  message.set_available(entry.unavailable_reason.empty());
  message.set_unavailable_reason(entry.unavailable_reason);
  message.set_variant_of(profile.variant_of);
  message.set_root(profile.image ? "image" : "host");
  message.set_root_digest(profile.image ? profile.image->digest : "");
  for (const auto& [library, reason] : entry.libraries) {
    if (reason.empty()) {
      message.add_packages(library);
    }
  }
  *message.mutable_default_limits() = LimitsToProto(profile.run.limits.defaults);
  *message.mutable_ceilings() = LimitsToProto(profile.run.limits.ceilings);
  if (profile.compile.has_value()) {
    message.add_steps("compile");
  }
  message.add_steps("run");
  message.set_interactive(profile.interactive);
  message.add_networks(profile.run.network == policy::NetworkMode::kLoopback ? "loopback" : "none");
  return message;
}

ipc::Finished RefusedOutcome(ipc::Refusal refusal, const ipc::SetupError& error) {
  ipc::Finished finished{};
  finished.error = error;
  finished.violation_syscall = -1;
  switch (refusal) {
    case ipc::Refusal::kSetupFailed:
      finished.verdict = ipc::Verdict::kSandboxSetupFailed;
      finished.ended_by = ipc::Actor::kService;
      break;
    case ipc::Refusal::kDraining:
      finished.verdict = ipc::Verdict::kCanceled;
      finished.ended_by = ipc::Actor::kOperator;
      break;
    default:
      // We checked the same things before; that caissond sees them otherwise is a failure of ours.
      finished.verdict = ipc::Verdict::kServiceFailed;
      finished.ended_by = ipc::Actor::kService;
      break;
  }
  return finished;
}

StepOutcome CanceledOutcome(ipc::CancelReason reason) {
  StepOutcome outcome;
  outcome.cancel_reason = reason;
  outcome.finished.verdict = ipc::Verdict::kCanceled;
  outcome.finished.ended_by =
      reason == ipc::CancelReason::kShutdown ? ipc::Actor::kOperator : ipc::Actor::kClient;
  outcome.finished.violation_syscall = -1;
  return outcome;
}

StepOutcome FailedOutcome(const std::string& detail) {
  StepOutcome outcome;
  outcome.detail = detail;
  outcome.finished.verdict = ipc::Verdict::kServiceFailed;
  outcome.finished.ended_by = ipc::Actor::kService;
  outcome.finished.violation_syscall = -1;
  return outcome;
}

bool EndsAsCompileFailed(const StepOutcome& last) {
  switch (last.finished.verdict) {
    case ipc::Verdict::kCanceled:
    case ipc::Verdict::kSandboxSetupFailed:
    case ipc::Verdict::kServiceFailed:
      return false;
    default:
      return last.step == ipc::Step::kCompile;
  }
}

const char* StepName(ipc::Step step) { return step == ipc::Step::kCompile ? "compile" : "run"; }

}  // namespace caisson::dispatcher
