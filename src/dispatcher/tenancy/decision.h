// What a tenant's policy decided about one request, to be found again: in the answer, in the result, in the
// log. Made on gRPC's threads.
#ifndef CAISSON_DISPATCHER_TENANCY_DECISION_H_
#define CAISSON_DISPATCHER_TENANCY_DECISION_H_

#include <grpcpp/support/status.h>

#include <map>
#include <string>

#include "dispatcher/errors.h"
#include "policy/tenant_policy.h"

namespace caisson::dispatcher {

struct Decision {
  std::string id;    // 16 hex digits of the kernel's random numbers
  std::string rule;  // that allowed or refused it; empty where none speaks of it
  std::string policy_digest;
};

// Ends the program if the kernel gives no random numbers.
Decision MakeDecision(const policy::TenantPolicy& policy, const std::string& rule);

// A line of the log, where a policy speaks of it. What refuses logs by itself.
void LogAllowed(const policy::TenantPolicy& policy, const Decision& decision, const std::string& run);

// For ErrorInfo: "decision", "rule", "policy_digest".
std::map<std::string, std::string> MetadataOf(const Decision& decision);

// The refusal of what `policy` does not allow: its profile, or a limit.
grpc::Status RefuseByPolicy(const policy::TenantPolicy& policy, const policy::PolicyVerdict& verdict,
                            const std::string& profile);
// Of a caller whose tenant has no policy.
grpc::Status RefuseWithoutPolicy(const std::string& tenant);

// RESOURCE_EXHAUSTED, with QuotaFailure naming the quota and RetryInfo.
grpc::Status RefuseByQuota(const policy::TenantPolicy& policy, policy::QuotaId quota,
                           const std::string& message, int64_t retry_delay_ms);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_TENANCY_DECISION_H_
