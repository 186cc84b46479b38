// One caissond per range of ids on a host: two that overlap could give the same uid to two runs, and a uid is
// what keeps one run's processes from another's.
#ifndef CAISSON_ORCHESTRATOR_ID_RANGE_LOCK_H_
#define CAISSON_ORCHESTRATOR_ID_RANGE_LOCK_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::orchestrator {

// The same for every caissond of a host, whatever its state directory. Default of `state_dir`.
inline constexpr char kHostDirectory[] = "/run/caissond";

// Holds `count` ids from `first` for as long as the descriptor lives; the kernel frees them however the
// process ends. `directory` (made if need be, root's alone) has the lock file. kFailedPrecondition naming the
// range in the way when another process holds part of it.
absl::StatusOr<UniqueFd> LockIdRange(uint32_t first, uint32_t count,
                                     const std::string& directory = kHostDirectory);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_ID_RANGE_LOCK_H_
