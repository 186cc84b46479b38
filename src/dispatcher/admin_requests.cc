#include "dispatcher/admin_requests.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "dispatcher/look_requests.h"

namespace caisson::dispatcher {
namespace {

constexpr size_t kDefaultPageSize = 50;
constexpr size_t kMaxPageSize = 1'000;

// Every row of policy::QuotaId, whose number a test compares with the message's fields.
void SetQuota(policy::QuotaId id, uint64_t value, admin::v1::Quotas& quotas) {
  switch (id) {
    case policy::QuotaId::kConcurrentRuns:
      return quotas.set_concurrent_runs(value);
    case policy::QuotaId::kMemoryInFlightBytes:
      return quotas.set_memory_in_flight_bytes(value);
    case policy::QuotaId::kCpuInFlightMillis:
      return quotas.set_cpu_in_flight_millis(value);
    case policy::QuotaId::kRequestsPerSecond:
      return quotas.set_requests_per_second(value);
    case policy::QuotaId::kRequestBurst:
      return quotas.set_request_burst(value);
    case policy::QuotaId::kQueueLength:
      return quotas.set_queue_length(value);
    case policy::QuotaId::kCpuSecondsPerDay:
      return quotas.set_cpu_seconds_per_day(value);
    case policy::QuotaId::kStoredBytes:
      return quotas.set_stored_bytes(value);
  }
}

}  // namespace

grpc::Status CheckTenantsRequest(const admin::v1::ListTenantsRequest& request) {
  const grpc::Status status = CheckPageSize(request.page_size());
  return status.ok() ? CheckNamePageToken(request.page_token()) : status;
}

TenantRange RangeOf(const admin::v1::ListTenantsRequest& request, const std::set<TenantId>& names) {
  const size_t size = request.page_size() == 0
                          ? kDefaultPageSize
                          : std::min(static_cast<size_t>(request.page_size()), kMaxPageSize);
  TenantRange range;
  range.first =
      request.page_token().empty() ? names.begin() : names.upper_bound(TenantId(request.page_token()));
  range.last = range.first;
  for (size_t taken = 0; taken < size && range.last != names.end(); ++taken) {
    ++range.last;
  }
  if (range.last != names.end()) {
    range.next_page_token = std::prev(range.last)->name();
  }
  return range;
}

void SetPolicy(const policy::TenantPolicy& policy, admin::v1::Tenant& tenant) {
  admin::v1::Quotas& quotas = *tenant.mutable_quotas();
  for (const auto& [id, quota] : policy.quotas) {
    SetQuota(id, quota.value, quotas);
  }
  tenant.set_weight(policy.weight.value);
  tenant.set_policy_digest(policy.digest);
}

}  // namespace caisson::dispatcher
