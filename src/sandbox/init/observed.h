// Counts what a learning run calls, within fixed memory: by number, and by the bits of arguments that its
// filter's rules look at. Pure; also built hosted for the sanitized unit tests.
#ifndef CAISSON_SANDBOX_INIT_OBSERVED_H_
#define CAISSON_SANDBOX_INIT_OBSERVED_H_

#include <stdint.h>

#include "ipc/run_streams.h"
#include "sandbox/init/plan_reader.h"

namespace caisson::init {

struct ObservedKind {
  int32_t syscall_number;
  uint64_t count;
  uint64_t args[6];  // masked
};

using ObservedKinds = ObservedKind[wire::kMaxObservedKinds];

class ObservedCalls {
 public:
  // What the plan says is observed; nothing in a plan without that record. `room` is for the kinds: not
  // touched by a run that does not learn, whatever is in it.
  ObservedCalls(PlanReader plan, ObservedKinds& room) : kinds_(room) {
    PlanItem item{};
    plan.Rewind();
    while (plan.Next(item)) {
      if (item.type == sandbox::PlanRecord::kObserved) {
        watched_ = reinterpret_cast<const sandbox::PlanObservedCall*>(item.data);
        watched_count_ = item.data_bytes / static_cast<uint32_t>(sizeof(sandbox::PlanObservedCall));
      }
    }
  }

  // False, and nothing is counted, for a call that is not observed: it must not be let go on.
  bool Count(int32_t number, const uint64_t (&args)[6]) {
    const sandbox::PlanObservedCall* call = Find(number);
    if (call == nullptr) {
      return false;
    }
    uint64_t masked[6];
    for (int i = 0; i < 6; ++i) {
      masked[i] = args[i] & call->masks[i];
    }
    ObservedKind* kind = KindOf(number, masked);
    ++(kind == nullptr ? other_ : kind->count);
    return true;
  }

  uint32_t kinds() const { return used_; }
  const ObservedKind& kind(uint32_t index) const { return kinds_[index]; }
  // Calls beyond wire::kMaxObservedKinds.
  uint64_t other() const { return other_; }

 private:
  const sandbox::PlanObservedCall* Find(int32_t number) const {
    for (uint32_t i = 0; i < watched_count_; ++i) {
      if (static_cast<int32_t>(watched_[i].number) == number) {
        return &watched_[i];
      }
    }
    return nullptr;
  }

  static bool IsSame(const ObservedKind& kind, int32_t number, const uint64_t (&masked)[6]) {
    uint64_t difference = kind.syscall_number == number ? 0 : 1;
    for (int i = 0; i < 6; ++i) {
      difference |= kind.args[i] ^ masked[i];
    }
    return difference == 0;
  }

  // The entry of the call, a new one if need be; nullptr where there is no room for one.
  ObservedKind* KindOf(int32_t number, const uint64_t (&masked)[6]) {
    for (uint32_t i = 0; i < used_; ++i) {
      if (IsSame(kinds_[i], number, masked)) {
        return &kinds_[i];
      }
    }
    if (used_ == wire::kMaxObservedKinds) {
      return nullptr;
    }
    ObservedKind& kind = kinds_[used_++];
    kind.syscall_number = number;
    kind.count = 0;
    for (int i = 0; i < 6; ++i) {
      kind.args[i] = masked[i];
    }
    return &kind;
  }

  const sandbox::PlanObservedCall* watched_ = nullptr;
  uint32_t watched_count_ = 0;
  uint32_t used_ = 0;
  uint64_t other_ = 0;
  ObservedKinds& kinds_;  // the first `used_` are set
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_OBSERVED_H_
