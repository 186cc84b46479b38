// CPU time of each tenant's runs in a day (UTC), for the quota cpu_seconds_per_day. A run holds what it may
// use from the moment it is taken in, so that runs at work together never go beyond. What was held when the
// dispatcher was killed counts as used: how much it was nobody knows, and a crash is no way to more. On the
// I/O thread; the time is an argument.
#ifndef CAISSON_DISPATCHER_TENANCY_CPU_LEDGER_H_
#define CAISSON_DISPATCHER_TENANCY_CPU_LEDGER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

// What is stored of a tenant.
struct CpuDay {
  int64_t day = 0;  // since 1970
  uint64_t used_ms = 0;
  uint64_t held_ms = 0;

  friend bool operator==(const CpuDay&, const CpuDay&) = default;
};
using CpuDays = std::map<TenantId, CpuDay>;

class CpuLedger {
 public:
  // With what was stored. A day that is still to come is taken for today: the clock was wrong, then or now.
  CpuLedger(const CpuDays& stored, int64_t unix_seconds);

  // Whether `ms` more are within `quota_ms`.
  bool MayHold(const TenantId& tenant, uint64_t ms, uint64_t quota_ms, int64_t unix_seconds);
  // False if they are not; otherwise run `key` holds them until Settle.
  bool Hold(uint64_t key, const TenantId& tenant, uint64_t ms, uint64_t quota_ms, int64_t unix_seconds);
  // The run is over, and has used `ms`. Without effect on one that holds nothing; otherwise whose it is.
  std::optional<TenantId> Settle(uint64_t key, uint64_t ms, int64_t unix_seconds);

  // A run that held nothing, since no quota was in force when it came, has used `ms`: counted for those who
  // look, against no quota, and not stored.
  void CountBeside(const TenantId& tenant, uint64_t ms, int64_t unix_seconds);

  uint64_t UsedMs(const TenantId& tenant, int64_t unix_seconds);
  // With what was counted beside it.
  uint64_t SeenMs(const TenantId& tenant, int64_t unix_seconds);
  // Whether what is held is to blame, and may come back before the day is over.
  bool HoldsSome(const TenantId& tenant) const;
  // To be stored.
  CpuDay Of(const TenantId& tenant) const;
  static int64_t MsToNextDay(int64_t unix_seconds);

 private:
  struct Held {
    TenantId tenant;
    uint64_t ms;
  };
  using Accounts = std::unordered_map<TenantId, CpuDay>;
  // Its day never goes back, whatever the clock does.
  static CpuDay& TodayIn(Accounts& accounts, const TenantId& tenant, int64_t unix_seconds);
  CpuDay& Today(const TenantId& tenant, int64_t unix_seconds) {
    return TodayIn(accounts_, tenant, unix_seconds);
  }

  Accounts accounts_;
  Accounts beside_;
  std::unordered_map<uint64_t, Held> held_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_TENANCY_CPU_LEDGER_H_
