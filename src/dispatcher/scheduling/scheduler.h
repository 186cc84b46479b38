// The scheduler: the one door every run goes through. Decides who starts now, who waits and who is refused;
// fair between tenants by what they hold and for how long, in order within one. Pure bookkeeping with the
// time as an argument; owned by the I/O thread. docs/adr/0018-one-fair-scheduler.md says why it is as it is.
#ifndef CAISSON_DISPATCHER_SCHEDULING_SCHEDULER_H_
#define CAISSON_DISPATCHER_SCHEDULING_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

using AdmissionId = uint64_t;

inline constexpr uint64_t kNoBound = std::numeric_limits<uint64_t>::max();
inline constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();
inline constexpr int32_t kMostPriority = 10;  // and as far below 0
// What one step of priority is worth: a run goes before one of its tenant's that came so much earlier. So
// nothing waits for ever behind what comes later.
inline constexpr int64_t kNanosOfOnePriority = 10LL * 1'000'000'000;

struct SchedulerConfig {
  uint32_t max_running = 0;
  uint64_t memory_budget_bytes = 0;
  uint64_t cpu_budget_millis = kNoBound;  // of all runs together; a CPU is 1000
  uint64_t cpu_millis = 1000;             // the host's, for shares
  uint32_t queue_length = 0;
  uint64_t max_queued_bytes = 0;  // of request content held while waiting
};

// What a tenant's policy says to the scheduler.
struct TenantShare {
  uint64_t weight = 1;
  uint64_t max_running = kNoBound;
  uint64_t memory_bytes = kNoBound;
  uint64_t cpu_millis = kNoBound;
  uint64_t queue_length = kNoBound;
};

struct RunDemand {
  TenantId tenant;
  uint64_t memory_bytes = 0;  // within the whole budget: the caller refuses others
  uint64_t cpu_millis = 0;
  uint64_t request_bytes = 0;
  int32_t priority = 0;
  int64_t deadline_ns = kNoDeadline;
};

class Scheduler {
 public:
  enum class Entry : uint8_t {
    kAccepted,
    kQueueFull,        // of all tenants together
    kTooManyBytes,     // of the waiting requests, all tenants together
    kTenantQueueFull,  // the tenant's own
    kNeverFits,        // in what the tenant may hold at all
    kTooLate,          // it would not start before its deadline
  };

  // What runs at work hold together.
  struct Amount {
    uint64_t runs = 0;
    uint64_t memory_bytes = 0;
    uint64_t cpu_millis = 0;
  };

  explicit Scheduler(const SchedulerConfig& config) : config_(config) {}

  // A tenant's share, new or changed. A tenant nobody has told of has an ordinary one. Its runs that wait and
  // would never fit any more are displaced.
  void SetShare(const TenantId& tenant, const TenantShare& share);

  Entry Enqueue(AdmissionId id, const RunDemand& demand, int64_t now_ns);
  // What Enqueue would say, as far as it can be said without making room in the queue.
  Entry Look(const RunDemand& demand, int64_t now_ns) const;

  // The next waiting run if there is room for one; it then counts as running until Release. `free_bytes` is
  // the memory the host really has.
  std::optional<AdmissionId> AdmitNext(int64_t now_ns, uint64_t free_bytes = kNoBound);
  // AdmitNext found room in the budgets for a run the host has no memory for: ask again in a while.
  bool wants_memory() const { return wants_memory_; }

  // Takes a waiting run out of the queue. False if it is not waiting.
  bool Remove(AdmissionId id);
  // Gives back a part of the memory an admitted run holds.
  void Reduce(AdmissionId id, uint64_t bytes);
  // Gives back what an admitted run held.
  void Release(AdmissionId id, int64_t now_ns);

  // The runs that were taken out of the queue since the last call: of a full one, for a run of a tenant with
  // fewer there, the newest of the tenant with the most; by SetShare, what cannot start any more. Whoever
  // asks refuses them.
  std::vector<AdmissionId> TakeDisplaced() { return std::exchange(displaced_, {}); }

  // The waiting runs, each tenant's in their order.
  std::vector<AdmissionId> Waiting() const;

  size_t waiting() const { return waiters_.size(); }
  size_t running() const { return running_.size(); }
  size_t WaitingOf(const TenantId& tenant) const;
  size_t RunningOf(const TenantId& tenant) const;
  // Whether a tenant that holds more than one place leaves the last sandbox built ahead to one that holds
  // none.
  bool LeavesLast(const TenantId& tenant) const { return tenants_.size() > 1 && RunningOf(tenant) > 1; }
  // A waiting run's place among its tenant's, from 1; 0 if it does not wait.
  size_t PlaceOf(AdmissionId id) const;
  uint64_t memory_in_use_bytes() const { return used_.memory_bytes; }
  Amount HeldBy(const TenantId& tenant) const { return Seen(tenant).used; }
  // How long a run that came now would wait, as far as the last ones tell; 0 where they tell nothing.
  int64_t EstimatedWaitNs(const TenantId& tenant) const;

 private:
  // Smaller goes first: when it came, less what its priority is worth; then in order of coming.
  using QueueKey = std::pair<int64_t, AdmissionId>;
  struct Waiter {
    uint64_t memory_bytes;
    uint64_t cpu_millis;
    uint64_t request_bytes;
  };
  struct Running {
    TenantId tenant;
    uint64_t memory_bytes;
    uint64_t cpu_millis;
    double share;  // of the host, by what it holds most of
    int64_t started_ns;
    int64_t estimate_ns;  // of its duration, charged when it started
  };
  struct Tenant {
    TenantShare share;
    std::map<QueueKey, Waiter> queue;
    std::map<AdmissionId, const Running*> running;
    Amount used;
    uint64_t queued_bytes = 0;
    // Service received, by weight: a share of the host times its time. The tenant with the least goes next.
    double served = 0;
    double mean_ns = 0;   // of how long its runs last; 0: none has ended
    uint64_t chosen = 0;  // the number of the last choice: among equals the one that waited longest
  };

  Tenant& At(const TenantId& tenant) { return tenants_[tenant]; }
  const Tenant& Seen(const TenantId& tenant) const;
  static bool MayHold(const Tenant& tenant, const Waiter& waiter);
  bool SomebodyIsIdle() const;
  bool LeavesHeadroom(const Tenant& tenant, const Waiter& waiter, bool somebody_is_idle) const;
  bool FitsBudgets(const Waiter& waiter) const;
  // A tenant has waited for room for so long that all others do now.
  bool IsReserved(int64_t now_ns) const;
  bool StartsAtOnce(const RunDemand& demand, int64_t now_ns) const;
  bool QueueIsFullFor(const Tenant& tenant) const;
  const Tenant& Longest() const;
  bool MakeRoomInQueue(const Tenant& tenant, uint64_t request_bytes);
  double ShareOf(uint64_t memory_bytes, uint64_t cpu_millis) const;
  double ServedBy(const Tenant& tenant, int64_t now_ns) const;
  int64_t EstimateOf(const Tenant& tenant) const;
  AdmissionId Start(const TenantId& id, Tenant& tenant, int64_t now_ns);
  void EraseWaiter(Tenant& tenant, std::map<QueueKey, Waiter>::iterator at);

  const SchedulerConfig config_;
  std::map<TenantId, Tenant> tenants_;
  std::unordered_map<AdmissionId, std::pair<TenantId, QueueKey>> waiters_;
  std::unordered_map<AdmissionId, Running> running_;  // never moves its elements
  Amount used_;
  uint64_t queued_bytes_ = 0;
  double virtual_time_ = 0;  // what the tenant chosen last had received
  double mean_ns_ = 0;       // of all tenants' runs
  uint64_t choices_ = 0;
  // Whose turn it is, and for whose next run there is no room. It stays while that is so, whatever starts
  // meanwhile: a tenant of large runs would otherwise fall behind by each of them.
  std::optional<TenantId> blocked_;
  int64_t blocked_since_ns_ = 0;
  bool wants_memory_ = false;
  std::vector<AdmissionId> displaced_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SCHEDULING_SCHEDULER_H_
