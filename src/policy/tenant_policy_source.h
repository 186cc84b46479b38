// One policy file as it was written, before "extends" is resolved. Private to the reading of policies.
#ifndef CAISSON_POLICY_TENANT_POLICY_SOURCE_H_
#define CAISSON_POLICY_TENANT_POLICY_SOURCE_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "policy/located.h"
#include "policy/tenant_policy.h"

namespace caisson::policy {

struct TenantPolicySource {
  std::string name;
  std::string file;
  std::optional<Located<std::string>> extends;
  bool abstract = false;  // for others to extend; never a tenant's by itself
  std::optional<Located<std::vector<std::string>>> profiles;  // "*" alone: every one
  std::map<LimitId, Located<uint64_t>> ceilings;
  std::map<QuotaId, Located<uint64_t>> quotas;
  std::optional<Located<uint64_t>> weight;
  std::vector<PolicyTest> tests;
};

// Parses one text. Complaints go to `complaints`.
TenantPolicySource ParsePolicyText(const PolicyText& text, std::vector<std::string>& complaints);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_TENANT_POLICY_SOURCE_H_
