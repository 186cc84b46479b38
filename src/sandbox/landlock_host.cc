#include "sandbox/landlock_host.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "common/status.h"

namespace caisson::sandbox {

absl::StatusOr<uint32_t> LandlockAbi() {
  constexpr unsigned int kVersionQuery = 1;  // LANDLOCK_CREATE_RULESET_VERSION
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionQuery);
  if (abi < 1) {
    return absl::FailedPreconditionError(
        "the kernel has no Landlock: boot a kernel with CONFIG_SECURITY_LANDLOCK and \"landlock\" in lsm=");
  }
  return static_cast<uint32_t>(abi);
}

PlanLandlock HandledRights(uint32_t abi, policy::NetworkMode network) {
  PlanLandlock rights{};
  rights.abi = abi;
  const unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
  rights.handled_access_fs = (1ULL << bits) - 1;
  constexpr uint64_t kTcpRights = 3;  // bind and connect
  constexpr uint64_t kScopes = 3;     // abstract Unix sockets and signals
  rights.handled_access_net = abi >= 4 && network == policy::NetworkMode::kNone ? kTcpRights : 0;
  rights.scoped = abi >= 6 ? kScopes : 0;
  rights.attr_bytes = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
  return rights;
}

}  // namespace caisson::sandbox
