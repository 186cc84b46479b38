// What is counted of each tenant before its requests are parsed: their rate, and the calls it has open. Asked
// on gRPC's threads, under one lock. Tenants come from the configuration, so there are few.
#ifndef CAISSON_DISPATCHER_TENANCY_TENANT_LIMITS_H_
#define CAISSON_DISPATCHER_TENANCY_TENANT_LIMITS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "dispatcher/call_rate.h"
#include "dispatcher/tenant.h"
#include "policy/tenant_policy.h"

namespace caisson::dispatcher {

class RequestRates {
 public:
  // Takes one request out of what `policy` gives its tenant; otherwise in how many nanoseconds there is one.
  std::optional<int64_t> Take(const TenantId& tenant, const policy::TenantPolicy& policy, int64_t now_ns);

 private:
  struct Bucket {
    uint64_t per_second;
    uint64_t burst;
    CallRate rate;
  };
  std::mutex mutex_;
  std::unordered_map<TenantId, Bucket> buckets_;
};

class OpenCalls {
 public:
  explicit OpenCalls(uint32_t most) : most_(most) {}

  // The counter of one tenant's calls; lives as long as this. The call counts itself.
  std::atomic<uint32_t>& Of(const TenantId& tenant);
  // With its call counted: whether it may stay. A tenant has no more than it leaves free, so that there is
  // always room for one who has none, however many have many. One tenant alone may have them all.
  bool MayStay(const TenantId& tenant);

 private:
  const uint32_t most_;
  std::mutex mutex_;
  std::unordered_map<TenantId, std::unique_ptr<std::atomic<uint32_t>>> open_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_TENANCY_TENANT_LIMITS_H_
