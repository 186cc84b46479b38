// Which policy holds for which tenant, and which tokens hold, as caissond said last. Written by the I/O
// thread, read by gRPC's threads: a reader keeps what it got for as long as it decides, whatever is reloaded
// meanwhile.
#ifndef CAISSON_DISPATCHER_TENANCY_POLICY_BOOK_H_
#define CAISSON_DISPATCHER_TENANCY_POLICY_BOOK_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "dispatcher/tenancy/token_table.h"
#include "dispatcher/tenant.h"
#include "ipc/messages.h"
#include "policy/tenant_policy.h"

namespace caisson::dispatcher {

// All policies and tokens at one time.
class PolicyState {
 public:
  // No files: every tenant may have what profiles allow.
  PolicyState() = default;
  explicit PolicyState(const policy::TenantPolicies& policies);
  explicit PolicyState(TokenTable tokens) : tokens_(std::move(tokens)) {}
  PolicyState(const policy::TenantPolicies& policies, TokenTable tokens);

  // Null if the tenant has none, and so may nothing.
  std::shared_ptr<const policy::TenantPolicy> Of(const TenantId& tenant) const;
  const std::map<std::string, std::shared_ptr<const policy::TenantPolicy>>& policies() const {
    return policies_;
  }
  const TokenTable& tokens() const { return tokens_; }
  // "none" without files.
  const std::string& digest() const { return digest_; }

 private:
  bool configured_ = false;
  std::map<std::string, std::shared_ptr<const policy::TenantPolicy>> policies_;
  std::string digest_ = "none";
  TokenTable tokens_;
};

class PolicyBook {
 public:
  std::shared_ptr<const PolicyState> Now() const;
  void Set(std::shared_ptr<const PolicyState> state);
  // What came last could not be taken; what was in force stays.
  void NoteFailure();
  bool last_failed() const;

 private:
  mutable std::mutex mutex_;
  bool last_failed_ = false;
  std::shared_ptr<const PolicyState> state_ = std::make_shared<const PolicyState>();
};

// What a POLICY brought. caissond has checked it; a fault here is a fault of ours.
absl::StatusOr<std::shared_ptr<const PolicyState>> ReadPolicies(const ipc::Policy& message,
                                                                const UniqueFd& packed);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_TENANCY_POLICY_BOOK_H_
