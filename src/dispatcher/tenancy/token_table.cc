#include "dispatcher/tenancy/token_table.h"

#include <optional>
#include <set>
#include <utility>

namespace caisson::dispatcher {

TokenTable::TokenTable(const std::vector<policy::TokenEntry>& tokens, std::string digest)
    : digest_(std::move(digest)) {
  for (const policy::TokenEntry& token : tokens) {
    const Role role = token.role == policy::TokenRole::kObserve ? Role::kObserve : Role::kRun;
    tokens_.emplace(token.id, Entry{token.digest, Caller{TenantId(token.tenant), role}, token.expires});
  }
}

TokenTable::Outcome TokenTable::Judge(std::string_view token, int64_t unix_seconds, Caller& caller) const {
  const std::optional<std::string> id = policy::TokenIdOf(token);
  if (!id.has_value()) {
    return Outcome::kMalformed;
  }
  // What no token is the digest of, as far as anybody knows: an unknown one is compared like a wrong one.
  static const Entry kNobody;
  const auto found = tokens_.find(*id);
  const Entry& entry = found == tokens_.end() ? kNobody : found->second;
  const bool same = policy::SameDigest(policy::DigestOfToken(token), entry.digest);
  if (found == tokens_.end() || !same) {
    return Outcome::kNotValid;
  }
  if (unix_seconds >= entry.expires) {
    return Outcome::kExpired;
  }
  caller = entry.caller;
  return Outcome::kValid;
}

std::vector<TenantId> TokenTable::Tenants() const {
  std::set<TenantId> tenants;
  for (const auto& [id, entry] : tokens_) {
    tenants.insert(entry.caller.tenant);
  }
  return {tenants.begin(), tenants.end()};
}

}  // namespace caisson::dispatcher
