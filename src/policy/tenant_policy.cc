#include "policy/tenant_policy.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/status.h"
#include "policy/nearest.h"
#include "policy/tenant_policy_source.h"

namespace caisson::policy {
namespace {

constexpr size_t kLongestChain = 8;
constexpr char kHexDigits[] = "0123456789abcdef";

using Sources = std::map<std::string, TenantPolicySource>;

std::string Sha256(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());  // SAFETY: bytes
  std::string hex = "sha256:";
  for (const unsigned char byte : digest) {
    hex += kHexDigits[byte >> 4U];
    hex += kHexDigits[byte & 0xfU];
  }
  return hex;
}

std::string RuleOf(const TenantPolicySource& source, const std::string& key) {
  return source.name + "/" + key;
}

// From the outermost base to `source`; empty with a complaint if there is no end to it.
std::vector<const TenantPolicySource*> ChainOf(const Sources& sources, const TenantPolicySource& source,
                                               std::vector<std::string>& complaints) {
  std::vector<const TenantPolicySource*> chain{&source};
  while (chain.back()->extends) {
    const Located<std::string>& extends = *chain.back()->extends;
    const auto base = sources.find(extends.value);
    if (base == sources.end()) {
      std::vector<std::string> known;
      for (const auto& [name, other] : sources) {
        known.push_back(name);
      }
      extends.at.Complain(
          complaints, "no policy '" + extends.value.substr(0, 64) + "'" + DidYouMean(known, extends.value));
      return {};
    }
    if (std::find(chain.begin(), chain.end(), &base->second) != chain.end()) {
      extends.at.Complain(complaints, "the policies extend each other in a circle");
      return {};
    }
    chain.push_back(&base->second);
    if (chain.size() > kLongestChain) {
      extends.at.Complain(complaints, "more than " + std::to_string(kLongestChain) + " policies in a chain");
      return {};
    }
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

std::string NumberText(const RuleValue& value) { return std::to_string(value.value); }

std::string ProfilesText(const TenantPolicy& policy) {
  if (!policy.profiles) {
    return "*";
  }
  std::string text;
  for (const std::string& profile : *policy.profiles) {
    text += (text.empty() ? "" : ", ") + profile;
  }
  return text;
}

// Every key, its value and its rule, in a fixed order.
std::vector<std::array<std::string, 3>> Rows(const TenantPolicy& policy) {
  std::vector<std::array<std::string, 3>> rows;
  rows.push_back({"profiles", ProfilesText(policy), policy.profiles_rule});
  for (const auto& [id, value] : policy.ceilings) {
    rows.push_back({"ceilings." + std::string(LimitName(id)), NumberText(value), value.rule});
  }
  for (const auto& [id, value] : policy.quotas) {
    rows.push_back({"quotas." + std::string(QuotaName(id)), NumberText(value), value.rule});
  }
  rows.push_back({"weight", NumberText(policy.weight), policy.weight.rule});
  return rows;
}

void SetDigest(TenantPolicy& policy) {
  std::string text = "caisson tenant policy 1\n" + policy.name + "\n";
  for (const auto& [key, value, rule] : Rows(policy)) {
    text.append(key).append("\t").append(value).append("\t").append(rule).append("\n");
  }
  policy.digest = Sha256(text);
}

TenantPolicy Merge(const std::vector<const TenantPolicySource*>& chain) {
  TenantPolicy policy;
  for (const TenantPolicySource* source : chain) {
    policy.name = source->name;
    policy.file = source->file;
    if (source->profiles) {
      policy.profiles_rule = RuleOf(*source, "profiles");
      const std::vector<std::string>& names = source->profiles->value;
      policy.profiles = names == std::vector<std::string>{"*"}
                            ? std::nullopt
                            : std::optional(std::set<std::string>(names.begin(), names.end()));
    }
    for (const auto& [id, value] : source->ceilings) {
      policy.ceilings[id] = {value.value, RuleOf(*source, "ceilings." + std::string(LimitName(id)))};
    }
    for (const auto& [id, value] : source->quotas) {
      policy.quotas[id] = {value.value, RuleOf(*source, "quotas." + std::string(QuotaName(id)))};
    }
    if (source->weight) {
      policy.weight = {source->weight->value, RuleOf(*source, "weight")};
    }
  }
  policy.tests = chain.back()->tests;
  SetDigest(policy);
  return policy;
}

// What each value by itself cannot show.
void CheckMerged(const TenantPolicy& policy, std::vector<std::string>& complaints) {
  if (policy.Quota(QuotaId::kRequestBurst) != nullptr &&
      policy.Quota(QuotaId::kRequestsPerSecond) == nullptr) {
    complaints.push_back(
        Complaint(policy.file, 1, "quotas.request_burst", "means nothing without requests_per_second"));
  }
  if (policy.profiles_rule.empty()) {
    complaints.push_back(Complaint(policy.file, 1, "profiles",
                                   "is missing, here and in what it extends; [\"*\"] is every one"));
  }
}

}  // namespace

const RuleValue* TenantPolicy::Ceiling(LimitId id) const {
  const auto found = ceilings.find(id);
  return found == ceilings.end() ? nullptr : &found->second;
}

const RuleValue* TenantPolicy::Quota(QuotaId id) const {
  const auto found = quotas.find(id);
  return found == quotas.end() ? nullptr : &found->second;
}

bool TenantPolicy::AllowsProfile(const std::string& profile) const {
  return !profiles || profiles->contains(profile);
}

LimitRange TenantPolicy::Within(LimitRange range) const {
  for (const auto& [id, ceiling] : ceilings) {
    range.ceilings.Set(id, std::min(range.ceilings.Get(id), ceiling.value));
    range.defaults.Set(id, std::min(range.defaults.Get(id), ceiling.value));
  }
  return range;
}

TenantPolicy UnboundedPolicy(const std::string& tenant) {
  TenantPolicy policy;
  policy.name = tenant;
  SetDigest(policy);
  return policy;
}

absl::StatusOr<TenantPolicies> ParseTenantPolicies(const std::vector<PolicyText>& texts) {
  std::vector<std::string> complaints;
  Sources sources;
  for (const PolicyText& text : texts) {
    if (!sources.emplace(text.name, ParsePolicyText(text, complaints)).second) {
      complaints.push_back(Complaint(text.file, 1, "tenant", "another file has this name"));
    }
  }
  // What refers to a file with faults would only be blamed for that file's.
  RETURN_IF_ERROR(ComplaintsToStatus(complaints));
  TenantPolicies policies;
  for (const auto& [name, source] : sources) {
    const std::vector<const TenantPolicySource*> chain = ChainOf(sources, source, complaints);
    if (chain.empty() || source.abstract) {
      continue;
    }
    TenantPolicy policy = Merge(chain);
    CheckMerged(policy, complaints);
    policies.emplace(name, std::move(policy));
  }
  RETURN_IF_ERROR(ComplaintsToStatus(complaints));
  return policies;
}

std::string DigestOf(const TenantPolicies& policies) {
  std::string text;
  for (const auto& [name, policy] : policies) {
    text += policy.digest + "\n";
  }
  return Sha256(text);
}

PolicyVerdict Judge(const TenantPolicy& policy, const std::string& profile,
                    const std::vector<std::pair<LimitId, uint64_t>>& limits) {
  PolicyVerdict verdict;
  verdict.rule = policy.profiles_rule;
  if (!policy.AllowsProfile(profile)) {
    verdict.allowed = false;
    verdict.reason = "the policy of tenant " + policy.name + " does not allow this profile";
    return verdict;
  }
  for (const auto& [id, value] : limits) {
    const RuleValue* ceiling = policy.Ceiling(id);
    if (ceiling != nullptr && value > ceiling->value) {
      verdict.allowed = false;
      verdict.rule = ceiling->rule;
      verdict.limit = id;
      verdict.ceiling = ceiling->value;
      verdict.reason = "the policy of tenant " + policy.name + " allows at most " +
                       std::to_string(ceiling->value) + ", not " + std::to_string(value);
      return verdict;
    }
  }
  return verdict;
}

std::vector<std::string> FailedPolicyTests(const TenantPolicies& policies) {
  std::vector<std::string> failed;
  for (const auto& [name, policy] : policies) {
    for (size_t i = 0; i < policy.tests.size(); ++i) {
      const PolicyTest& test = policy.tests[i];
      const PolicyVerdict verdict = Judge(policy, test.profile, test.limits);
      const std::string refused_by = verdict.allowed ? "" : verdict.rule;
      if (refused_by != test.refused_by) {
        const auto told = [](const std::string& rule) {
          return rule.empty() ? std::string("allowed") : "refused by " + rule;
        };
        failed.push_back(
            Complaint(policy.file, test.line, "tests[" + std::to_string(i) + "]",
                      "'" + test.name + "': is " + told(refused_by) + ", not " + told(test.refused_by)));
      }
    }
  }
  return failed;
}

std::string ExplainPolicy(const TenantPolicy& policy) {
  std::string text = "tenant " + policy.name + ", " + policy.digest + "\n";
  for (const auto& [key, value, rule] : Rows(policy)) {
    text.append("  ").append(key).append(" = ").append(value);
    text.append(rule.empty() ? "  (nobody says otherwise)" : "  (" + rule + ")").append("\n");
  }
  return text;
}

}  // namespace caisson::policy
