#include "dispatcher/scheduling/scheduler.h"

#include <algorithm>
#include <iterator>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::dispatcher {
namespace {

// A run whose turn it is and for whom there is no room lets others go first for about as long as a run lasts,
// and within these. Then all wait until there is: a large run is not starved by small ones.
constexpr int64_t kLeastPatienceNs = 20 * kNanosPerMilli;
constexpr int64_t kMostPatienceNs = 2'000 * kNanosPerMilli;
// Of places, memory and CPU, a part that only tenants get who hold nothing: one in so many, and a place at
// least.
constexpr uint64_t kHeadroomPart = 16;
// Until a run has ended.
constexpr int64_t kFirstEstimateNs = 100 * kNanosPerMilli;
constexpr double kNewestPart = 0.1;  // of a mean that moves

double Moved(double mean, double newest) { return mean == 0 ? newest : mean + (newest - mean) * kNewestPart; }

uint64_t Left(uint64_t whole, uint64_t used) { return whole > used ? whole - used : 0; }

}  // namespace

void Scheduler::SetShare(const TenantId& tenant, const TenantShare& share) {
  CAISSON_CHECK(share.weight > 0);
  Tenant& changed = At(tenant);
  changed.share = share;
  for (auto at = changed.queue.begin(); at != changed.queue.end();) {
    const auto next = std::next(at);
    if (at->second.memory_bytes > share.memory_bytes || at->second.cpu_millis > share.cpu_millis) {
      displaced_.push_back(at->first.second);
      EraseWaiter(changed, at);
    }
    at = next;
  }
}

// Within what the tenant may hold at the same time.
bool Scheduler::MayHold(const Tenant& tenant, const Waiter& waiter) {
  return tenant.used.runs < tenant.share.max_running &&
         waiter.memory_bytes <= Left(tenant.share.memory_bytes, tenant.used.memory_bytes) &&
         waiter.cpu_millis <= Left(tenant.share.cpu_millis, tenant.used.cpu_millis);
}

bool Scheduler::SomebodyIsIdle() const {
  return std::any_of(tenants_.begin(), tenants_.end(), [](const auto& entry) {
    return entry.second.queue.empty() && entry.second.running.empty();
  });
}

// Whoever holds something leaves room for one who holds nothing and may come, so that who comes seldom does
// not wait for the end of somebody else's run. Where everybody is here already, it would be for nobody.
bool Scheduler::LeavesHeadroom(const Tenant& tenant, const Waiter& waiter, bool somebody_is_idle) const {
  if (!somebody_is_idle || tenant.used.runs == 0 || config_.max_running < 2) {
    return true;
  }
  const auto fits = [](uint64_t budget, uint64_t used, uint64_t more) {
    return budget == kNoBound || more <= Left(budget - budget / kHeadroomPart, used);
  };
  const uint64_t places = std::max<uint64_t>(1, config_.max_running / kHeadroomPart);
  return used_.runs + places < config_.max_running &&
         fits(config_.memory_budget_bytes, used_.memory_bytes, waiter.memory_bytes) &&
         fits(config_.cpu_budget_millis, used_.cpu_millis, waiter.cpu_millis);
}

bool Scheduler::FitsBudgets(const Waiter& waiter) const {
  return used_.runs < config_.max_running &&
         waiter.memory_bytes <= Left(config_.memory_budget_bytes, used_.memory_bytes) &&
         // One run may have more CPU than there is a budget for; it is then alone.
         (used_.cpu_millis == 0 || waiter.cpu_millis <= Left(config_.cpu_budget_millis, used_.cpu_millis));
}

bool Scheduler::IsReserved(int64_t now_ns) const {
  if (!blocked_.has_value() || tenants_.at(*blocked_).queue.empty()) {
    return false;
  }
  const int64_t patience_ns =
      mean_ns_ == 0 ? kMostPatienceNs
                    : std::clamp(static_cast<int64_t>(mean_ns_), kLeastPatienceNs, kMostPatienceNs);
  return now_ns - blocked_since_ns_ >= patience_ns;
}

// The dominant share: a run counts as that part of the host that it keeps others from most.
double Scheduler::ShareOf(uint64_t memory_bytes, uint64_t cpu_millis) const {
  const double memory = static_cast<double>(memory_bytes) /
                        static_cast<double>(std::max<uint64_t>(1, config_.memory_budget_bytes));
  const double cpu =
      static_cast<double>(cpu_millis) / static_cast<double>(std::max<uint64_t>(1, config_.cpu_millis));
  const double place = 1.0 / std::max(1U, config_.max_running);
  return std::max({memory, cpu, place});
}

int64_t Scheduler::EstimateOf(const Tenant& tenant) const {
  const double mean = tenant.mean_ns != 0 ? tenant.mean_ns : mean_ns_;
  return mean == 0 ? kFirstEstimateNs : std::max<int64_t>(1, static_cast<int64_t>(mean));
}

// With what its runs have had beyond the estimates they were charged with.
double Scheduler::ServedBy(const Tenant& tenant, int64_t now_ns) const {
  double overrun = 0;
  for (const auto& [id, run] : tenant.running) {
    overrun +=
        run->share * static_cast<double>(std::max<int64_t>(0, now_ns - run->started_ns - run->estimate_ns));
  }
  return tenant.served + overrun / static_cast<double>(tenant.share.weight);
}

const Scheduler::Tenant& Scheduler::Seen(const TenantId& tenant) const {
  static const Tenant kNew;
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? kNew : found->second;
}

bool Scheduler::StartsAtOnce(const RunDemand& demand, int64_t now_ns) const {
  const Tenant& tenant = Seen(demand.tenant);
  const Waiter waiter{demand.memory_bytes, demand.cpu_millis, demand.request_bytes};
  return tenant.queue.empty() && MayHold(tenant, waiter) && FitsBudgets(waiter) &&
         LeavesHeadroom(tenant, waiter, SomebodyIsIdle()) && !IsReserved(now_ns);
}

Scheduler::Entry Scheduler::Look(const RunDemand& demand, int64_t now_ns) const {
  const Tenant& tenant = Seen(demand.tenant);
  if (demand.memory_bytes > tenant.share.memory_bytes || demand.cpu_millis > tenant.share.cpu_millis) {
    return Entry::kNeverFits;
  }
  // A run that starts at once never waits, so the bounds of the queue do not concern it.
  if (StartsAtOnce(demand, now_ns)) {
    return Entry::kAccepted;
  }
  if (tenant.queue.size() >= tenant.share.queue_length) {
    return Entry::kTenantQueueFull;
  }
  if (demand.deadline_ns != kNoDeadline && EstimatedWaitNs(demand.tenant) > demand.deadline_ns - now_ns) {
    return Entry::kTooLate;
  }
  return QueueIsFullFor(tenant) ? Entry::kQueueFull : Entry::kAccepted;
}

Scheduler::Entry Scheduler::Enqueue(AdmissionId id, const RunDemand& demand, int64_t now_ns) {
  CAISSON_CHECK(id != 0 && demand.memory_bytes <= config_.memory_budget_bytes);
  Tenant& tenant = At(demand.tenant);
  if (const Entry entry = Look(demand, now_ns); entry != Entry::kAccepted) {
    return entry;
  }
  const bool starts_at_once = StartsAtOnce(demand, now_ns);
  if (!starts_at_once && !MakeRoomInQueue(tenant, demand.request_bytes)) {
    return Entry::kTooManyBytes;
  }
  if (tenant.queue.empty()) {
    // What it did not use while it wanted nothing is not kept for it: it would starve the others later.
    tenant.served += std::max(0.0, virtual_time_ - ServedBy(tenant, now_ns));
  }
  // The door holds even if one is admitted between two calls of AdmitNext: bytes are counted for every
  // waiter.
  const Waiter waiter{demand.memory_bytes, demand.cpu_millis, starts_at_once ? 0 : demand.request_bytes};
  queued_bytes_ += waiter.request_bytes;
  tenant.queued_bytes += waiter.request_bytes;
  const int32_t priority = std::clamp(demand.priority, -kMostPriority, kMostPriority);
  const QueueKey key{now_ns - priority * kNanosOfOnePriority, id};
  tenant.queue.emplace(key, waiter);
  waiters_.emplace(id, std::pair(demand.tenant, key));
  return Entry::kAccepted;
}

std::optional<AdmissionId> Scheduler::AdmitNext(int64_t now_ns, uint64_t free_bytes) {
  wants_memory_ = false;
  if (waiters_.empty() || used_.runs >= config_.max_running) {
    return std::nullopt;
  }
  // Those who may have something, the one who had least first.
  struct Candidate {
    double served;
    uint64_t chosen;
    const TenantId* id;
    Tenant* tenant;
  };
  std::vector<Candidate> candidates;
  const bool somebody_is_idle = SomebodyIsIdle();
  for (auto& [id, tenant] : tenants_) {
    if (!tenant.queue.empty() && MayHold(tenant, tenant.queue.begin()->second) &&
        LeavesHeadroom(tenant, tenant.queue.begin()->second, somebody_is_idle)) {
      candidates.push_back({ServedBy(tenant, now_ns), tenant.chosen, &id, &tenant});
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& left, const Candidate& right) {
    return std::pair(left.served, left.chosen) < std::pair(right.served, right.chosen);
  });
  if (candidates.empty()) {
    blocked_.reset();
  }
  for (const Candidate& candidate : candidates) {
    const Waiter& waiter = candidate.tenant->queue.begin()->second;
    const bool has_memory = waiter.memory_bytes <= free_bytes;
    wants_memory_ = wants_memory_ || (FitsBudgets(waiter) && !has_memory);
    if (FitsBudgets(waiter) && has_memory) {
      if (&candidate == &candidates.front() && blocked_ != *candidate.id) {
        blocked_.reset();
      }
      virtual_time_ = std::max(virtual_time_, candidate.served);
      return Start(*candidate.id, *candidate.tenant, now_ns);
    }
    if (&candidate == &candidates.front()) {
      // What the host itself has not got while no run of ours holds anything, no waiting of others brings.
      const bool nobody_to_wait_for = FitsBudgets(waiter) && running_.empty();
      if (blocked_ != *candidate.id || nobody_to_wait_for) {
        blocked_ = *candidate.id;
        blocked_since_ns_ = now_ns;
      }
      if (IsReserved(now_ns)) {
        return std::nullopt;
      }
    }
  }
  return std::nullopt;
}

AdmissionId Scheduler::Start(const TenantId& id, Tenant& tenant, int64_t now_ns) {
  const auto first = tenant.queue.begin();
  const AdmissionId run_id = first->first.second;
  const Waiter waiter = first->second;
  EraseWaiter(tenant, first);
  const Running run{
      id,     waiter.memory_bytes, waiter.cpu_millis, ShareOf(waiter.memory_bytes, waiter.cpu_millis),
      now_ns, EstimateOf(tenant)};
  const auto [at, inserted] = running_.emplace(run_id, run);
  CAISSON_CHECK(inserted);
  tenant.running.emplace(run_id, &at->second);
  tenant.chosen = ++choices_;
  // Charged at once, or a tenant could take every place before any of its runs has cost it anything.
  tenant.served +=
      run.share * static_cast<double>(run.estimate_ns) / static_cast<double>(tenant.share.weight);
  for (Amount* amount : {&tenant.used, &used_}) {
    ++amount->runs;
    amount->memory_bytes += run.memory_bytes;
    amount->cpu_millis += run.cpu_millis;
  }
  return run_id;
}

void Scheduler::Reduce(AdmissionId id, uint64_t bytes) {
  const auto found = running_.find(id);
  CAISSON_CHECK(found != running_.end() && bytes <= found->second.memory_bytes);
  found->second.memory_bytes -= bytes;
  At(found->second.tenant).used.memory_bytes -= bytes;
  used_.memory_bytes -= bytes;
}

void Scheduler::Release(AdmissionId id, int64_t now_ns) {
  const auto found = running_.find(id);
  CAISSON_CHECK(found != running_.end());
  const Running& run = found->second;
  Tenant& tenant = At(run.tenant);
  const auto lasted = static_cast<double>(now_ns - run.started_ns);
  // What it was charged with becomes what it had.
  tenant.served +=
      run.share * (lasted - static_cast<double>(run.estimate_ns)) / static_cast<double>(tenant.share.weight);
  tenant.mean_ns = Moved(tenant.mean_ns, lasted);
  mean_ns_ = Moved(mean_ns_, lasted);
  for (Amount* amount : {&tenant.used, &used_}) {
    --amount->runs;
    amount->memory_bytes -= run.memory_bytes;
    amount->cpu_millis -= run.cpu_millis;
  }
  tenant.running.erase(id);
  running_.erase(found);
}

size_t Scheduler::RunningOf(const TenantId& tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? 0 : found->second.running.size();
}

int64_t Scheduler::EstimatedWaitNs(const TenantId& tenant) const {
  const auto found = tenants_.find(tenant);
  const double own = found == tenants_.end() ? 0 : found->second.mean_ns;
  const double mean = own != 0 ? own : mean_ns_;
  if (mean == 0) {
    return 0;
  }
  // As many of its runs at once as there are now; where none is, as many as its weight would give it.
  double at_once = static_cast<double>(RunningOf(tenant));
  if (at_once == 0) {
    double weights = 0;
    double weight = 1;
    for (const auto& [id, other] : tenants_) {
      const bool active = id == tenant || !other.queue.empty() || !other.running.empty();
      weights += active ? static_cast<double>(other.share.weight) : 0;
      weight = id == tenant ? static_cast<double>(other.share.weight) : weight;
    }
    at_once = std::max(1.0, config_.max_running * weight / std::max(weights, weight));
  }
  return static_cast<int64_t>(mean * static_cast<double>(WaitingOf(tenant) + 1) / at_once);
}

}  // namespace caisson::dispatcher
