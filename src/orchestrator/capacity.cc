#include "orchestrator/capacity.h"

#include <unistd.h>

#include <algorithm>
#include <string>

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kBytesPerRunByDefault = 64ULL * 1024 * 1024;
constexpr uint32_t kMostRunsByDefault = 256;
constexpr uint64_t kIdsOfOneSandbox = 2;

}  // namespace

Capacity ChooseCapacity(const Config& config, uint64_t host_memory_bytes) {
  Capacity capacity;
  capacity.memory_budget_bytes =
      config.memory_budget_bytes != 0 ? config.memory_budget_bytes : host_memory_bytes / 4 * 3;
  const auto by_memory = static_cast<uint32_t>(
      std::clamp<uint64_t>(capacity.memory_budget_bytes / kBytesPerRunByDefault, 1, kMostRunsByDefault));
  capacity.max_sandboxes = config.max_runs != 0 ? config.max_runs : by_memory;
  return capacity;
}

absl::Status CheckIdCount(const Config& config, const Capacity& capacity) {
  const uint64_t needed = kIdsOfOneSandbox * MostSandboxes(capacity.max_sandboxes);
  if (config.id_count >= needed) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError("id_count: " + std::to_string(config.id_count) + " is too small, " +
                                       std::to_string(needed) + " ids are needed for " +
                                       std::to_string(capacity.max_sandboxes) + " runs at once");
}

uint64_t HostCpuMillis() { return 1000 * static_cast<uint64_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))); }

uint64_t HostMemoryBytes() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace caisson::orchestrator
