#include "dispatcher/tenancy/cpu_ledger.h"

#include <algorithm>

namespace caisson::dispatcher {
namespace {

constexpr int64_t kSecondsOfADay = 86'400;

}  // namespace

CpuLedger::CpuLedger(const CpuDays& stored, int64_t unix_seconds) {
  const int64_t today = unix_seconds / kSecondsOfADay;
  for (const auto& [tenant, day] : stored) {
    accounts_.emplace(tenant, CpuDay{std::min(day.day, today), day.used_ms + day.held_ms, 0});
  }
}

CpuDay& CpuLedger::TodayIn(Accounts& accounts, const TenantId& tenant, int64_t unix_seconds) {
  CpuDay& account = accounts[tenant];
  const int64_t day = unix_seconds / kSecondsOfADay;
  if (day > account.day) {
    account.day = day;
    account.used_ms = 0;
  }
  return account;
}

bool CpuLedger::MayHold(const TenantId& tenant, uint64_t ms, uint64_t quota_ms, int64_t unix_seconds) {
  const CpuDay& account = Today(tenant, unix_seconds);
  const uint64_t taken = account.used_ms + account.held_ms;
  return taken <= quota_ms && ms <= quota_ms - taken;
}

bool CpuLedger::Hold(uint64_t key, const TenantId& tenant, uint64_t ms, uint64_t quota_ms,
                     int64_t unix_seconds) {
  if (!MayHold(tenant, ms, quota_ms, unix_seconds)) {
    return false;
  }
  accounts_.at(tenant).held_ms += ms;
  held_.emplace(key, Held{tenant, ms});
  return true;
}

std::optional<TenantId> CpuLedger::Settle(uint64_t key, uint64_t ms, int64_t unix_seconds) {
  const auto found = held_.find(key);
  if (found == held_.end()) {
    return std::nullopt;
  }
  const Held held = found->second;
  held_.erase(found);
  CpuDay& account = Today(held.tenant, unix_seconds);
  account.held_ms -= held.ms;
  account.used_ms += ms;
  return held.tenant;
}

uint64_t CpuLedger::UsedMs(const TenantId& tenant, int64_t unix_seconds) {
  return Today(tenant, unix_seconds).used_ms;
}

void CpuLedger::CountBeside(const TenantId& tenant, uint64_t ms, int64_t unix_seconds) {
  TodayIn(beside_, tenant, unix_seconds).used_ms += ms;
}

uint64_t CpuLedger::SeenMs(const TenantId& tenant, int64_t unix_seconds) {
  return UsedMs(tenant, unix_seconds) + TodayIn(beside_, tenant, unix_seconds).used_ms;
}

bool CpuLedger::HoldsSome(const TenantId& tenant) const { return Of(tenant).held_ms > 0; }

CpuDay CpuLedger::Of(const TenantId& tenant) const {
  const auto found = accounts_.find(tenant);
  return found == accounts_.end() ? CpuDay() : found->second;
}

int64_t CpuLedger::MsToNextDay(int64_t unix_seconds) {
  return (kSecondsOfADay - unix_seconds % kSecondsOfADay) * 1'000;
}

}  // namespace caisson::dispatcher
