// What a tenant may have: profiles, ceilings of limits, quotas, its share of the host. One JSON file a
// tenant, which may extend another. caissond reads and checks root's files; the dispatcher gets their text
// from it, reads it by the same code, and decides by it. Pure but for ReadPolicyTexts.
#ifndef CAISSON_POLICY_TENANT_POLICY_H_
#define CAISSON_POLICY_TENANT_POLICY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/limits.h"
#include "policy/profile_loader.h"

namespace caisson::policy {

// The keys of "quotas".
enum class QuotaId : uint8_t {
  kConcurrentRuns,       // more wait
  kMemoryInFlightBytes,  // of the runs at work together; more wait
  kCpuInFlightMillis,    // the same; 1000 is one CPU
  kRequestsPerSecond,    // calls that start runs; more are refused
  kRequestBurst,         // before the rate holds
  kQueueLength,          // waiting runs; more are refused
  kCpuSecondsPerDay,     // from midnight UTC on; then runs are refused
  kStoredBytes,          // of records and output; the oldest ended runs make room, then CreateRun is refused
};
inline constexpr size_t kQuotaCount = 8;
std::string_view QuotaName(QuotaId id);

inline constexpr uint64_t kMostWeight = 1'000;

// A value, and the rule that set it: "FILE-NAME/KEY", for example "base/ceilings.memory_bytes".
struct RuleValue {
  uint64_t value = 0;
  std::string rule;
};

// A request that a policy's tests make, and what must become of it.
struct PolicyTest {
  std::string name;
  std::string profile;
  std::vector<std::pair<LimitId, uint64_t>> limits;
  std::string refused_by;  // the rule; empty: allowed
  int line = 0;
};

struct TenantPolicy {
  std::string name;
  std::string file;
  // Absent: every profile.
  std::optional<std::set<std::string>> profiles;
  std::string profiles_rule;
  std::map<LimitId, RuleValue> ceilings;
  std::map<QuotaId, RuleValue> quotas;
  RuleValue weight{1, ""};
  std::string digest;  // "sha256:" and 64 hex digits, of everything above but the file
  std::vector<PolicyTest> tests;

  // Null where nothing is said: no bound of the tenant's own.
  const RuleValue* Ceiling(LimitId id) const;
  const RuleValue* Quota(QuotaId id) const;
  bool AllowsProfile(const std::string& profile) const;
  // The range of a profile's run step within the tenant's ceilings. A default above one comes down to it: it
  // is nobody's wish.
  LimitRange Within(LimitRange range) const;
};

// By the tenant's name; bases that are abstract are not among them.
using TenantPolicies = std::map<std::string, TenantPolicy>;

// What holds where no policies are configured: whatever profiles allow.
TenantPolicy UnboundedPolicy(const std::string& tenant);

// The text of one file, NAME.json.
struct PolicyText {
  std::string name;  // "web" of web.json
  std::string file;  // as messages show it
  std::string text;
};

// Reads, checks and resolves. kInvalidArgument with every complaint, "FILE:LINE: KEY: reason", one a line:
// unknown and duplicate keys, wrong types, values out of range, a base that does not exist, a cycle.
absl::StatusOr<TenantPolicies> ParseTenantPolicies(const std::vector<PolicyText>& texts);

// The texts of DIR/*.json (schema.json excepted), sorted by name. Errors as LoadProfiles'.
absl::StatusOr<std::vector<PolicyText>> ReadPolicyTexts(const std::string& directory, FileTrust trust);

// All texts in one, for the boundary, and back. What comes back from elsewhere than PackPolicyTexts is
// kInvalidArgument or the texts it holds.
std::string PackPolicyTexts(const std::vector<PolicyText>& texts);
absl::StatusOr<std::vector<PolicyText>> UnpackPolicyTexts(std::string_view packed);
inline constexpr size_t kMostPackedPolicyBytes = 32UL * 1024 * 1024;

// One digest of all of them, for logs: what was in force.
std::string DigestOf(const TenantPolicies& policies);

// What a policy says of a request, before quotas that count: allowed, or refused by a rule.
struct PolicyVerdict {
  bool allowed = true;
  std::string rule;    // that refused, or that allowed the profile; empty where no rule speaks of it
  std::string reason;  // for people; of a refusal
  std::optional<LimitId> limit;  // that is above its ceiling
  uint64_t ceiling = 0;
};
PolicyVerdict Judge(const TenantPolicy& policy, const std::string& profile,
                    const std::vector<std::pair<LimitId, uint64_t>>& limits);

// The tests of every policy that fail: "FILE:LINE: tests[N]: reason".
std::vector<std::string> FailedPolicyTests(const TenantPolicies& policies);

// What a tenant's policy comes to, for people: every value with its rule.
std::string ExplainPolicy(const TenantPolicy& policy);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_TENANT_POLICY_H_
