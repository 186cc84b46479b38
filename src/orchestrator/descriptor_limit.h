// How many descriptors caissond and its dispatcher need, and getting them. Run by caissond as root at start:
// what it cannot have it must not promise.
#ifndef CAISSON_ORCHESTRATOR_DESCRIPTOR_LIMIT_H_
#define CAISSON_ORCHESTRATOR_DESCRIPTOR_LIMIT_H_

#include <cstdint>

#include "absl/status/status.h"

namespace caisson::orchestrator {

struct DescriptorUsers {
  uint64_t max_runs = 0;
  uint64_t ready_sandboxes = 0;  // built ahead
  uint64_t steps = 0;            // of all profiles
  uint64_t queue_length = 0;
  uint64_t most_open_files = 0;  // the highest ceiling of a profile: a run cannot get more than we may have
};

// What RLIMIT_NOFILE must be for caissond, its dispatcher, which inherits it, and every run. Pure.
uint64_t DescriptorsNeeded(const DescriptorUsers& users);

// Sets the soft limit to at least `needed`, the hard one too where it is lower. kFailedPrecondition with the
// mend if the kernel or a missing privilege does not let us.
absl::Status EnsureDescriptors(uint64_t needed, uint64_t max_runs);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_DESCRIPTOR_LIMIT_H_
