// The requests and answers of the admin service, as far as they are pure: pages of tenants, what a policy
// comes to. Runs in caisson-dispatcher; the requests are untrusted.
#ifndef CAISSON_DISPATCHER_ADMIN_REQUESTS_H_
#define CAISSON_DISPATCHER_ADMIN_REQUESTS_H_

#include <grpcpp/support/status.h>

#include <set>
#include <string>

#include "caisson/admin/v1/admin.pb.h"
#include "dispatcher/tenant.h"
#include "policy/tenant_policy.h"

namespace caisson::dispatcher {

// OK, or the refusal.
grpc::Status CheckTenantsRequest(const admin::v1::ListTenantsRequest& request);

// A page: [first, last) of `names`, which outlives it.
struct TenantRange {
  std::set<TenantId>::const_iterator first;
  std::set<TenantId>::const_iterator last;
  std::string next_page_token;  // empty: it is the last one
};
// `request` has passed CheckTenantsRequest. A tenant that came or went between two pages moves no other.
TenantRange RangeOf(const admin::v1::ListTenantsRequest& request, const std::set<TenantId>& names);

// Quotas, weight and digest.
void SetPolicy(const policy::TenantPolicy& policy, admin::v1::Tenant& tenant);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_ADMIN_REQUESTS_H_
