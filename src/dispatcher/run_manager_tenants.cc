// What run_manager does about tenants: their policies as they come, and what their quotas say of a new run.
// On the I/O thread.
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/errors.h"
#include "dispatcher/run_manager.h"
#include "dispatcher/tenancy/decision.h"

namespace caisson::dispatcher {
namespace {

constexpr uint64_t kMillisPerSecond = 1'000;

int64_t UnixSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// What its steps may use together.
uint64_t CpuTimeMs(const RunSpec& spec) {
  const uint64_t compile =
      spec.compile.has_value() ? spec.compile->limits.Get(policy::LimitId::kCpuTimeMs) : 0;
  return compile + spec.limits.Get(policy::LimitId::kCpuTimeMs);
}

// A run that is larger than all its tenant may hold at a time.
grpc::Status RefuseNeverFits(const policy::TenantPolicy& policy, const RunDemand& demand) {
  const policy::RuleValue* const memory = policy.Quota(policy::QuotaId::kMemoryInFlightBytes);
  policy::PolicyVerdict verdict;
  verdict.allowed = false;
  const bool by_memory = memory != nullptr && demand.memory_bytes > memory->value;
  const policy::RuleValue* const quota =
      by_memory ? memory : policy.Quota(policy::QuotaId::kCpuInFlightMillis);
  verdict.limit = by_memory ? policy::LimitId::kMemoryBytes : policy::LimitId::kCpuMillis;
  verdict.ceiling = quota == nullptr ? 0 : quota->value;
  verdict.rule = quota == nullptr ? "" : quota->rule;
  verdict.reason = "the run needs more than all runs of tenant " + policy.name + " may have together";
  return RefuseByPolicy(policy, verdict, "");
}

RunDemand DemandOf(const RunSpec& spec) {
  RunDemand demand;
  demand.tenant = spec.tenant;
  demand.memory_bytes = spec.memory_bytes + spec.bundle_bytes;
  demand.cpu_millis = spec.limits.Get(policy::LimitId::kCpuMillis);
  demand.request_bytes = spec.request_bytes;
  demand.priority = spec.priority;
  demand.deadline_ns = spec.deadline_ns;
  return demand;
}

const policy::RuleValue* CpuQuotaOf(const RunSpec& spec) {
  return spec.policy == nullptr ? nullptr : spec.policy->Quota(policy::QuotaId::kCpuSecondsPerDay);
}

}  // namespace

void RunManager::SetPolicies(std::shared_ptr<const PolicyState> policies) {
  spdlog::info("policies: {} tenants, digest {}; {} tokens", policies->policies().size(), policies->digest(),
               policies->tokens().size());
  policies_.Set(policies);
  for (const auto& [name, policy] : policies->policies()) {
    expected_.insert(TenantId(name));
  }
  for (const TenantId& tenant : policies->tokens().Tenants()) {
    expected_.insert(tenant);
  }
  for (const TenantId& tenant : expected_) {
    SetShareOf(tenant);
  }
  RefuseDisplaced();
  AdmitWaiting();  // ceilings may have risen
}

void RunManager::SetShareOf(const TenantId& tenant) {
  expected_.insert(tenant);
  TenantShare share;
  if (const auto policy = policies_.Now()->Of(tenant); policy != nullptr) {
    const auto quota = [&](policy::QuotaId id) {
      const policy::RuleValue* value = policy->Quota(id);
      return value == nullptr ? kNoBound : value->value;
    };
    share.weight = policy->weight.value;
    share.max_running = quota(policy::QuotaId::kConcurrentRuns);
    share.memory_bytes = quota(policy::QuotaId::kMemoryInFlightBytes);
    share.cpu_millis = quota(policy::QuotaId::kCpuInFlightMillis);
    share.queue_length = quota(policy::QuotaId::kQueueLength);
  }
  scheduler_.SetShare(tenant, share);
}

grpc::Status RunManager::Enqueue(RunKey key, const RunSpec& spec) {
  if (!expected_.contains(spec.tenant)) {
    SetShareOf(spec.tenant);
  }
  if (const grpc::Status status = CheckCpuOfDay(spec); !status.ok()) {
    return status;
  }
  const policy::RuleValue* const cpu_quota = CpuQuotaOf(spec);
  const Scheduler::Entry entry = scheduler_.Enqueue(key, DemandOf(spec), MonotonicNanos());
  if (entry == Scheduler::Entry::kAccepted && cpu_quota != nullptr &&
      cpu_.Hold(key, spec.tenant, CpuTimeMs(spec), cpu_quota->value * kMillisPerSecond, UnixSeconds())) {
    StoreCpu(spec.tenant);
  }
  return RefuseEntry(entry, spec);
}

grpc::Status RunManager::LookAtDoor(const RunSpec& spec) {
  const grpc::Status status = CheckCpuOfDay(spec);
  return status.ok() ? RefuseEntry(scheduler_.Look(DemandOf(spec), MonotonicNanos()), spec) : status;
}

grpc::Status RunManager::CheckCpuOfDay(const RunSpec& spec) {
  const policy::RuleValue* const quota = CpuQuotaOf(spec);
  const int64_t now = UnixSeconds();
  if (quota == nullptr || cpu_.MayHold(spec.tenant, CpuTimeMs(spec), quota->value * kMillisPerSecond, now)) {
    return grpc::Status::OK;
  }
  const bool held = cpu_.HoldsSome(spec.tenant);
  return RefuseByQuota(
      *spec.policy, policy::QuotaId::kCpuSecondsPerDay,
      held ? "the day's CPU time is used or held by runs that wait and work" : "the day's CPU time is used",
      held ? kRetryDelayMs : CpuLedger::MsToNextDay(now));
}

grpc::Status RunManager::RefuseEntry(Scheduler::Entry entry, const RunSpec& spec) {
  const policy::TenantPolicy none;
  const policy::TenantPolicy& policy = spec.policy == nullptr ? none : *spec.policy;
  // How many others wait is not this client's to know.
  switch (entry) {
    case Scheduler::Entry::kAccepted:
      return grpc::Status::OK;
    case Scheduler::Entry::kQueueFull:
      return RefuseQuota(Reason::kQueueFull, "the queue is full", "queue", kRetryDelayMs);
    case Scheduler::Entry::kTooManyBytes:
      return RefuseQuota(Reason::kQueueFull, "the waiting requests together are too large", "queue",
                         kRetryDelayMs);
    case Scheduler::Entry::kTenantQueueFull:
      return RefuseByQuota(policy, policy::QuotaId::kQueueLength, "as many runs wait as may", kRetryDelayMs);
    case Scheduler::Entry::kNeverFits:
      return RefuseNeverFits(policy, DemandOf(spec));
    case Scheduler::Entry::kTooLate:
      return RefuseForNow(Reason::kDeadlineTooSoon, "the run would not start before the call's deadline",
                          kRetryDelayMs);
  }
  return grpc::Status::OK;
}

// Their places in the queue are another tenant's now, or a new policy has none for them.
void RunManager::RefuseDisplaced() {
  for (const AdmissionId key : scheduler_.TakeDisplaced()) {
    runs_.at(key)->Refuse(
        RefuseQuota(Reason::kQueueFull, "the run had to leave the queue", "queue", kRetryDelayMs));
  }
}

// --- CPU time of the day
// ------------------------------------------------------------------------------------------

void RunManager::SettleCpu(RunKey key, uint64_t ms) {
  if (const auto tenant = cpu_.Settle(key, ms, UnixSeconds()); tenant.has_value()) {
    StoreCpu(*tenant);
  } else if (const Run* run = Find(key); run != nullptr) {
    cpu_.CountBeside(run->tenant(), ms, UnixSeconds());
  }
}

uint64_t RunManager::UsedCpuMs(const v1::RunResult& result) {
  uint64_t used = 0;
  for (const v1::StepResult& step : result.steps()) {
    used += step.usage().cpu_user_ms() + step.usage().cpu_system_ms();
  }
  return used;
}

void RunManager::StoreCpu(const TenantId& tenant) {
  cpu_changed_.insert(tenant);
  if (!cpu_being_stored_) {
    StoreCpuNow();
  }
}

RecordThread::Work RunManager::CpuToStore() {
  CpuDays days;
  for (const TenantId& tenant : std::exchange(cpu_changed_, {})) {
    days.emplace(tenant, cpu_.Of(tenant));
  }
  return [days = std::move(days)](RunStore& store) -> absl::Status {
    for (const auto& [tenant, day] : days) {
      RETURN_IF_ERROR(store.records().SetCpu(tenant, day));
    }
    return absl::OkStatus();
  };
}

// ORDER: one write at a time. Those that fail are tried again later, so an older one could come last.
void RunManager::StoreCpuNow() {
  if (records_ == nullptr || cpu_changed_.empty()) {
    return;
  }
  cpu_being_stored_ = true;
  records_->WriteSurely(RecordThread::Need::kLasting, CpuToStore(), [this](const absl::Status& /*status*/) {
    cpu_being_stored_ = false;
    StoreCpuNow();
  });
}

}  // namespace caisson::dispatcher
