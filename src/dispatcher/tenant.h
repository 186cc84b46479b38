// Who a caller is: its tenant, and what it may do there. Values, compared and copied, never guessed: where
// they are not known a call is refused. Made from caissond's configuration, in caisson-dispatcher.
#ifndef CAISSON_DISPATCHER_TENANT_H_
#define CAISSON_DISPATCHER_TENANT_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "ipc/messages.h"

namespace caisson::dispatcher {

inline constexpr std::string_view kDefaultTenant = "default";

// The name of a tenant: a lower-case letter, then lower-case letters, digits and '-', at most 63 bytes.
class TenantId {
 public:
  TenantId() : name_(kDefaultTenant) {}
  explicit TenantId(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  friend bool operator==(const TenantId&, const TenantId&) = default;
  friend std::strong_ordering operator<=>(const TenantId&, const TenantId&) = default;

 private:
  std::string name_;
};

using Role = ipc::ClientRole;

// "run", "observe", "operator" or "admin"; "token" where that is not known yet.
constexpr const char* RoleName(Role role) {
  switch (role) {
    case Role::kRun:
      return "run";
    case Role::kObserve:
      return "observe";
    case Role::kOperator:
      return "operator";
    case Role::kByToken:
      return "token";
    case Role::kAdmin:
      return "admin";
  }
  return "unknown";
}

// Whoever is at the other end of a connection.
struct Caller {
  TenantId tenant;  // of one who BelongsToTenant; means nothing otherwise
  Role role = Role::kRun;

  // Not an operator, an admin, or one who is yet to be told by token.
  bool BelongsToTenant() const { return role == Role::kRun || role == Role::kObserve; }
  bool MayLookAtRuns() const { return BelongsToTenant() || role == Role::kOperator; }
  bool MayStartRuns() const { return role == Role::kRun; }
  bool MayCancelRuns() const { return role == Role::kRun || role == Role::kOperator; }
  // The one rule of who sees whose runs. What is not seen does not exist: NOT_FOUND.
  bool Sees(const TenantId& owner) const {
    return role == Role::kOperator || (BelongsToTenant() && tenant == owner);
  }
  // A run's place in the lists and page tokens of this caller: among its own tenant's runs, since a number of
  // all runs would tell it of the others'. An operator counts all. Grows with every run either way.
  uint64_t PlaceOf(uint64_t key, uint64_t number) const { return role == Role::kOperator ? key : number; }
};

}  // namespace caisson::dispatcher

template <>
struct std::hash<caisson::dispatcher::TenantId> {
  size_t operator()(const caisson::dispatcher::TenantId& tenant) const noexcept {
    return std::hash<std::string>()(tenant.name());
  }
};

#endif  // CAISSON_DISPATCHER_TENANT_H_
