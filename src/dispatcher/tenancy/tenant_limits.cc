#include "dispatcher/tenancy/tenant_limits.h"

#include <algorithm>

namespace caisson::dispatcher {

std::optional<int64_t> RequestRates::Take(const TenantId& tenant, const policy::TenantPolicy& policy,
                                          int64_t now_ns) {
  const policy::RuleValue* const rate = policy.Quota(policy::QuotaId::kRequestsPerSecond);
  if (rate == nullptr) {
    return std::nullopt;
  }
  const policy::RuleValue* const burst = policy.Quota(policy::QuotaId::kRequestBurst);
  const uint64_t at_once = burst == nullptr ? rate->value : burst->value;
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(tenant);
  if (found == buckets_.end() || found->second.per_second != rate->value || found->second.burst != at_once) {
    buckets_.erase(tenant);
    found = buckets_
                .emplace(tenant, Bucket{rate->value, at_once,
                                        CallRate(static_cast<uint32_t>(rate->value),
                                                 static_cast<uint32_t>(at_once), now_ns)})
                .first;
  }
  if (found->second.rate.Take(1, now_ns)) {
    return std::nullopt;
  }
  return std::max<int64_t>(1, found->second.rate.NextNs() - now_ns);
}

std::atomic<uint32_t>& OpenCalls::Of(const TenantId& tenant) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<std::atomic<uint32_t>>& counter = open_[tenant];
  if (counter == nullptr) {
    counter = std::make_unique<std::atomic<uint32_t>>(0);
  }
  return *counter;
}

bool OpenCalls::MayStay(const TenantId& tenant) {
  const std::lock_guard lock(mutex_);
  uint32_t all = 0;
  uint32_t own = 0;
  for (const auto& [other, counter] : open_) {
    const uint32_t count = counter->load(std::memory_order_relaxed);
    all += count;
    own += other == tenant ? count : 0;
  }
  return all <= most_ && (open_.size() == 1 || own <= 1 || own - 1 <= most_ - all);
}

}  // namespace caisson::dispatcher
