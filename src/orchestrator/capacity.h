// How many runs this host is given at once, and whether the configuration has room for them. Pure.
#ifndef CAISSON_ORCHESTRATOR_CAPACITY_H_
#define CAISSON_ORCHESTRATOR_CAPACITY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "orchestrator/config.h"

namespace caisson::orchestrator {

// What one dispatcher may have at once.
struct Capacity {
  uint32_t max_sandboxes = 0;
  uint64_t memory_budget_bytes = 0;
};

// How many sandboxes may exist at once, those being removed included, when `max_sandboxes` may be alive.
inline uint64_t MostSandboxes(uint32_t max_sandboxes) { return 2 * uint64_t{max_sandboxes} + 64; }

// The configured values, and for those that are 0: three quarters of the host's memory, and one run for each
// 64 MiB of it, at most 256.
Capacity ChooseCapacity(const Config& config, uint64_t host_memory_bytes);

// kFailedPrecondition naming the key and the least value that would do, if id_count has not two ids for each
// sandbox that may exist.
absl::Status CheckIdCount(const Config& config, const Capacity& capacity);

uint64_t HostMemoryBytes();
// 1000 for each CPU.
uint64_t HostCpuMillis();

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CAPACITY_H_
