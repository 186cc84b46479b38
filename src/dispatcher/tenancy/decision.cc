#include "dispatcher/tenancy/decision.h"

#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/tenancy/decision_log.h"

namespace caisson::dispatcher {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

void Log(const policy::TenantPolicy& policy, const Decision& decision, bool allowed,
         const std::string& what) {
  static DecisionLog log;
  const std::string text = "decision " + decision.id + ": tenant " + policy.name +
                           (allowed ? " allowed by " : " refused by ") + decision.rule + " (" +
                           decision.policy_digest + "): " + what;
  if (const auto line = log.Line(policy.name, allowed, text, MonotonicNanos()); line.has_value()) {
    spdlog::info("{}", *line);
  }
}

}  // namespace

Decision MakeDecision(const policy::TenantPolicy& policy, const std::string& rule) {
  std::array<uint8_t, 8> random{};
  CAISSON_CHECK(getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()));
  Decision decision{{}, rule, policy.digest};
  for (const uint8_t byte : random) {
    decision.id += kHexDigits[byte >> 4U];
    decision.id += kHexDigits[byte & 0xfU];
  }
  return decision;
}

void LogAllowed(const policy::TenantPolicy& policy, const Decision& decision, const std::string& run) {
  if (!decision.rule.empty()) {
    Log(policy, decision, true, "run " + run);
  }
}

std::map<std::string, std::string> MetadataOf(const Decision& decision) {
  return {{"decision", decision.id}, {"rule", decision.rule}, {"policy_digest", decision.policy_digest}};
}

grpc::Status RefuseByPolicy(const policy::TenantPolicy& policy, const policy::PolicyVerdict& verdict,
                            const std::string& profile) {
  const Decision decision = MakeDecision(policy, verdict.rule);
  std::map<std::string, std::string> metadata = MetadataOf(decision);
  if (!verdict.limit.has_value()) {
    Log(policy, decision, false, "a profile");
    metadata["profile"] = profile;
    return Refuse(Reason::kProfileNotAllowed, "profile " + profile + ": " + verdict.reason, metadata);
  }
  const std::string name(policy::LimitName(*verdict.limit));
  Log(policy, decision, false, "the limit " + name);
  metadata["limit"] = name;
  metadata["ceiling"] = std::to_string(verdict.ceiling);
  return Refuse(Reason::kLimitNotAllowed, "limits." + name + ": " + verdict.reason, metadata);
}

grpc::Status RefuseWithoutPolicy(const std::string& tenant) {
  return Refuse(Reason::kTenantWithoutPolicy, "tenant " + tenant + " has no policy, so it may run nothing");
}

grpc::Status RefuseByQuota(const policy::TenantPolicy& policy, policy::QuotaId quota,
                           const std::string& message, int64_t retry_delay_ms) {
  const policy::RuleValue* const value = policy.Quota(quota);
  const Decision decision = MakeDecision(policy, value == nullptr ? "" : value->rule);
  const std::string name(policy::QuotaName(quota));
  Log(policy, decision, false, "the quota " + name);
  std::map<std::string, std::string> metadata = MetadataOf(decision);
  metadata["quota"] = name;
  if (value != nullptr) {
    metadata["quota_limit"] = std::to_string(value->value);
  }
  return RefuseQuota(Reason::kQuotaExceeded, message, "quotas." + name, retry_delay_ms, metadata);
}

}  // namespace caisson::dispatcher
