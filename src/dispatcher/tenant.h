// Whose a call, a run or a record is. Every look-up of a run names one, so that nobody finds another's.
#ifndef CAISSON_DISPATCHER_TENANT_H_
#define CAISSON_DISPATCHER_TENANT_H_

#include <compare>
#include <string>
#include <utility>

namespace caisson::dispatcher {

class TenantId {
 public:
  explicit TenantId(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  friend auto operator<=>(const TenantId&, const TenantId&) = default;

 private:
  std::string name_;
};

// Who has no identity of its own: today everybody who may open the socket.
inline TenantId DefaultTenant() { return TenantId("default"); }

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_TENANT_H_
