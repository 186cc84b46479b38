// Which bearer tokens hold, by what caissond handed over: digests, never a token. Immutable; asked on gRPC's
// threads with what clients show, which is untrusted. The time is an argument.
#ifndef CAISSON_DISPATCHER_TENANCY_TOKEN_TABLE_H_
#define CAISSON_DISPATCHER_TENANCY_TOKEN_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dispatcher/tenant.h"
#include "policy/token_file.h"

namespace caisson::dispatcher {

class TokenTable {
 public:
  enum class Outcome : uint8_t {
    kValid,
    kMalformed,  // it has not the form of a token: nobody was ever given it
    kNotValid,   // unknown, revoked or wrong: which of them, nobody is told
    kExpired,    // and right: only its owner hears this
  };

  TokenTable() = default;
  // `digest` of the file that has them.
  explicit TokenTable(const std::vector<policy::TokenEntry>& tokens, std::string digest = "none");

  // Whose it is goes to `caller`, where it is valid. An unknown one takes as long as a wrong one.
  Outcome Judge(std::string_view token, int64_t unix_seconds, Caller& caller) const;

  size_t size() const { return tokens_.size(); }
  // "none" where there is no file.
  const std::string& digest() const { return digest_; }
  // Every tenant that has a token.
  std::vector<TenantId> Tenants() const;

 private:
  struct Entry {
    policy::TokenDigest digest{};
    Caller caller;
    int64_t expires = 0;
  };
  std::unordered_map<std::string, Entry> tokens_;  // by id
  std::string digest_ = "none";
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_TENANCY_TOKEN_TABLE_H_
