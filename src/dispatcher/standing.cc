#include "dispatcher/standing.h"

namespace caisson::dispatcher {
namespace {

// Connections of one tenant are one group, and so are those of operators and those of admins. No tenant's
// name has a question mark.
std::string GroupOf(const Caller& caller, const std::string& strangers) {
  if (caller.role == Role::kByToken) {
    return strangers;
  }
  if (caller.role == Role::kAdmin) {
    return "?admin";
  }
  return caller.role == Role::kOperator ? std::string("?operator") : caller.tenant.name();
}

}  // namespace

const std::string Standing::kStrangers = "?stranger";
const std::string Standing::kSeveralTenants = "?several";

Standing::Standing(const Caller& caller) : of_listener_(GroupOf(caller, kStrangers)) {}

const std::string& Standing::group() const {
  switch (known_.load(std::memory_order_acquire)) {
    case Known::kByListener:
      return of_listener_;
    case Known::kOneTenant:
      return of_tenant_;
    case Known::kSeveral:
      break;
  }
  return kSeveralTenants;
}

void Standing::Note(const Caller& caller) {
  const std::lock_guard lock(writing_);
  const std::string group = "?token " + GroupOf(caller, kStrangers);
  if (known_.load(std::memory_order_relaxed) == Known::kByListener) {
    of_tenant_ = group;
    known_.store(Known::kOneTenant, std::memory_order_release);
  } else if (of_tenant_ != group) {
    known_.store(Known::kSeveral, std::memory_order_release);
  }
}

}  // namespace caisson::dispatcher
