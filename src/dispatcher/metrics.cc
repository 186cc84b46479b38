#include "dispatcher/metrics.h"

#include <fcntl.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "common/files.h"
#include "dispatcher/errors.h"
#include "dispatcher/security_events.h"

namespace caisson::dispatcher {
namespace {

constexpr double kNanosPerSecond = 1e9;
constexpr char kOther[] = "other";

// From a sandbox that was built ahead to a queue that is as long as it may be.
prometheus::Histogram::BucketBoundaries Buckets() {
  return {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300};
}

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + static_cast<double>(duration.nanos()) / kNanosPerSecond;
}

template <typename Builder>
auto& Family(Builder builder, const char* name, const char* help, prometheus::Registry& registry) {
  return builder.Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Counter>& Counter(prometheus::Registry& registry, const char* name,
                                                 const char* help) {
  return Family(prometheus::BuildCounter(), name, help, registry);
}

prometheus::Family<prometheus::Gauge>& Gauge(prometheus::Registry& registry, const char* name,
                                             const char* help) {
  return Family(prometheus::BuildGauge(), name, help, registry);
}

prometheus::Family<prometheus::Histogram>& Histogram(prometheus::Registry& registry, const char* name,
                                                     const char* help) {
  return Family(prometheus::BuildHistogram(), name, help, registry);
}

}  // namespace

Metrics::Metrics(std::set<std::string> profiles, const std::string& version)
    : profiles_(std::move(profiles)),
      runs_(Counter(registry_, "caisson_runs_total", "Runs that ended, by profile and verdict.")),
      refused_(Counter(registry_, "caisson_runs_refused_total",
                       "Requests that became no run, by the reason of docs/errors.md.")),
      unauthenticated_(Counter(registry_, "caisson_calls_unauthenticated_total",
                               "Calls without a valid token, by the reason of docs/errors.md.")),
      sandboxes_(
          Counter(registry_, "caisson_sandboxes_total",
                  "Sandboxes that runs got, by whether they had been built ahead (pool) or not (new).")),
      denied_calls_(Counter(registry_, "caisson_denied_calls_total",
                            "System calls of programs that were refused, by name.")),
      cpu_seconds_(Counter(registry_, "caisson_run_cpu_seconds_total", "CPU time of programs, by profile.")),
      output_bytes_(Counter(registry_, "caisson_output_bytes_total",
                            "What programs wrote to their streams and was read.")),
      security_events_(Counter(registry_, "caisson_security_events_total",
                               "Signs of an attempt; each is a line of the log that begins with security:.")),
      queue_wait_(Histogram(registry_, "caisson_queue_wait_seconds",
                            "From a request's arrival to its admission, by tenant.")),
      stages_(Histogram(registry_, "caisson_run_stage_seconds",
                        "The parts of a run's steps: setup (building the sandbox), start (up to exec), run, "
                        "teardown (to the death of everything in it).")),
      waiting_(Gauge(registry_, "caisson_queue_runs", "Runs that wait for admission, by tenant.")),
      stored_bytes_(Gauge(registry_, "caisson_stored_bytes", "What records and output take, by tenant.")),
      stored_runs_(Gauge(registry_, "caisson_stored_runs", "Runs that can be asked for, by tenant.")),
      active_(Gauge(registry_, "caisson_runs_active", "Runs that hold a place.").Add({})),
      max_runs_(Gauge(registry_, "caisson_runs_max", "Places for runs.").Add({})),
      queue_length_(Gauge(registry_, "caisson_queue_max_runs", "Runs that may wait.").Add({})),
      memory_promised_(
          Gauge(registry_, "caisson_memory_promised_bytes", "Memory that admitted runs may use.").Add({})),
      memory_budget_(
          Gauge(registry_, "caisson_memory_budget_bytes", "Memory for all runs together.").Add({})),
      followers_(Gauge(registry_, "caisson_followers", "Calls of FollowRun that are open.").Add({})),
      commit_(Histogram(registry_, "caisson_record_commit_seconds", "Writing a batch of records to the disk.")
                  .Add({}, Buckets())),
      record_failures_(Counter(registry_, "caisson_record_failures_total",
                               "Records that could not be written when they should have been.")
                           .Add({})),
      process_cpu_(Counter(registry_, "process_cpu_seconds_total", "CPU time of the dispatcher.").Add({})),
      process_resident_(
          Gauge(registry_, "process_resident_memory_bytes", "Resident memory of the dispatcher.").Add({})),
      process_virtual_(
          Gauge(registry_, "process_virtual_memory_bytes", "Virtual memory of the dispatcher.").Add({})),
      process_max_fds_(Gauge(registry_, "process_max_fds", "Descriptors the dispatcher may have.").Add({})) {
  Gauge(registry_, "caisson_build_info", "The version that serves.").Add({{"version", version}}).Set(1);
  Gauge(registry_, "process_start_time_seconds", "When the dispatcher was started, in Unix time.")
      .Add({})
      .Set(static_cast<double>(std::time(nullptr)));
  BeginSeries();
  absl::StatusOr<UniqueFd> statm = OpenFile("/proc/self/statm", O_RDONLY);
  if (statm.ok()) {
    statm_ = *std::move(statm);
  }
}

// Of short lists each series is there from the start, at 0: a rate needs a sample before its first event.
void Metrics::BeginSeries() {
  for (const std::string& profile : profiles_) {
    for (int verdict = v1::COMPLETED; verdict <= v1::Verdict_MAX; ++verdict) {
      runs_.Add({{"profile", profile}, {"verdict", v1::Verdict_Name(static_cast<v1::Verdict>(verdict))}});
    }
    cpu_seconds_.Add({{"profile", profile}});
  }
  for (const ReasonInfo& info : AllReasons()) {
    // No token, no tenant, no request: those are counted apart.
    (info.code == grpc::StatusCode::UNAUTHENTICATED ? unauthenticated_ : refused_)
        .Add({{"reason", info.name}});
  }
  for (const char* source : {"pool", "new"}) {
    sandboxes_.Add({{"source", source}});
  }
  for (const char* stage : {"setup", "start", "run", "teardown"}) {
    stages_.Add({{"stage", stage}}, Buckets());
  }
  for (const char* stream : {"stdout", "stderr"}) {
    output_bytes_.Add({{"stream", stream}});
  }
  for (const char* event : kSecurityEvents) {
    security_events_.Add({{"event", event}});
  }
  denied_calls_.Add({{"syscall", kOther}});
  queue_wait_.Add({{"tenant", TenantId().name()}}, Buckets());
  OnStored(TenantId().name(), 0, 0);
}

void Metrics::OnRefused(std::string_view reason) {
  refused_.Add({{"reason", std::string(reason)}}).Increment();
}

void Metrics::OnUnauthenticated(std::string_view reason) {
  unauthenticated_.Add({{"reason", std::string(reason)}}).Increment();
}

void Metrics::OnAdmitted(const TenantId& tenant, int64_t waited_ns) {
  queue_wait_.Add({{"tenant", tenant.name()}}, Buckets())
      .Observe(static_cast<double>(waited_ns) / kNanosPerSecond);
}

void Metrics::OnPrepared(bool from_pool) {
  sandboxes_.Add({{"source", from_pool ? "pool" : "new"}}).Increment();
}

void Metrics::ObserveStage(const char* stage, const google::protobuf::Duration& took, bool there) {
  if (there) {
    stages_.Add({{"stage", stage}}, Buckets()).Observe(Seconds(took));
  }
}

void Metrics::OnEnded(const std::string& profile, const v1::RunResult& result) {
  const std::string label = profiles_.contains(profile) ? profile : kOther;
  runs_.Add({{"profile", label}, {"verdict", v1::Verdict_Name(result.verdict())}}).Increment();
  uint64_t cpu_ms = 0;
  for (const v1::StepResult& step : result.steps()) {
    ObserveStage("setup", step.timings().setup(), step.timings().has_setup());
    ObserveStage("start", step.timings().start(), step.timings().has_start());
    ObserveStage("run", step.timings().run(), step.timings().has_run());
    ObserveStage("teardown", step.timings().teardown(), step.timings().has_teardown());
    cpu_ms += step.usage().cpu_user_ms() + step.usage().cpu_system_ms();
  }
  cpu_seconds_.Add({{"profile", label}}).Increment(static_cast<double>(cpu_ms) / 1000);
  output_bytes_.Add({{"stream", "stdout"}}).Increment(static_cast<double>(result.stdout().bytes()));
  output_bytes_.Add({{"stream", "stderr"}}).Increment(static_cast<double>(result.stderr().bytes()));
  for (const v1::Denial& denial : result.denials()) {
    const bool known = syscalls_.size() < kMostSyscalls || syscalls_.contains(denial.name());
    const std::string name = known ? *syscalls_.insert(denial.name()).first : kOther;
    denied_calls_.Add({{"syscall", name}}).Increment(static_cast<double>(denial.count()));
  }
}

void Metrics::OnSecurityEvent(const std::string& event) {
  security_events_.Add({{"event", event}}).Increment();
}

void Metrics::OnCommit(int64_t took_ns) { commit_.Observe(static_cast<double>(took_ns) / kNanosPerSecond); }

void Metrics::OnRecordFailure() { record_failures_.Increment(); }

void Metrics::OnStored(const std::string& tenant, uint64_t bytes, uint64_t runs) {
  stored_bytes_.Add({{"tenant", tenant}}).Set(static_cast<double>(bytes));
  stored_runs_.Add({{"tenant", tenant}}).Set(static_cast<double>(runs));
}

// As the conventions have it; what the kernel does not tell is left at 0.
void Metrics::SetProcess() {
  timespec cpu{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
    const double seconds =
        static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / kNanosPerSecond;
    process_cpu_.Increment(seconds - process_cpu_.Value());
  }
  std::array<char, 128> text{};
  if (pread(statm_.get(), text.data(), text.size() - 1, 0) > 0) {
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    char* rest = nullptr;
    process_virtual_.Set(static_cast<double>(std::strtoull(text.data(), &rest, 10)) * page);
    process_resident_.Set(static_cast<double>(std::strtoull(rest, nullptr, 10)) * page);
  }
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    process_max_fds_.Set(static_cast<double>(descriptors.rlim_cur));
  }
}

std::string Metrics::Page(const MetricsNow& now) {
  active_.Set(static_cast<double>(now.active_runs));
  max_runs_.Set(static_cast<double>(now.max_runs));
  queue_length_.Set(static_cast<double>(now.queue_length));
  memory_promised_.Set(static_cast<double>(now.memory_promised_bytes));
  memory_budget_.Set(static_cast<double>(now.memory_budget_bytes));
  followers_.Set(static_cast<double>(now.followers));
  // A tenant of whom nobody waits any more is not among `now`.
  for (const prometheus::MetricFamily& family : waiting_.Collect()) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      waiting_.Add({{"tenant", metric.label.at(0).value}}).Set(0);
    }
  }
  for (const auto& [tenant, runs] : now.waiting_runs) {
    waiting_.Add({{"tenant", tenant}}).Set(static_cast<double>(runs));
  }
  SetProcess();
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

}  // namespace caisson::dispatcher
