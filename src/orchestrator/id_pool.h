// Host ids for runs: two each, one for init and one for the payload, from the configured range.
#ifndef CAISSON_ORCHESTRATOR_ID_POOL_H_
#define CAISSON_ORCHESTRATOR_ID_POOL_H_

#include <cstdint>
#include <deque>

#include "absl/status/statusor.h"
#include "sandbox/user_namespace.h"

namespace caisson::orchestrator {

// Ids are handed out again as late as possible, and never while their run's cgroups exist: kernel quotas are
// kept per uid, and a predecessor's last pipe may still be charged.
class IdPool {
 public:
  // `first` must not be 0 and the range must not wrap.
  IdPool(uint32_t first, uint32_t count) {
    for (uint32_t offset = 0; offset + 1 < count; offset += 2) {
      free_.push_back({first + offset, first + offset + 1});
    }
  }

  absl::StatusOr<sandbox::RunIds> Take() {
    if (free_.empty()) {
      return absl::ResourceExhaustedError("take host ids: the whole id_range is in use");
    }
    const sandbox::RunIds ids = free_.front();
    free_.pop_front();
    return ids;
  }
  void Return(const sandbox::RunIds& ids) { free_.push_back(ids); }
  size_t free() const { return free_.size(); }

 private:
  std::deque<sandbox::RunIds> free_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_ID_POOL_H_
