// The refused system calls of a run's steps: what init reports as they happen, and its summary at the end,
// joined.
// The events were range-checked by ipc::EventDecoder; names come from our own table.
#ifndef CAISSON_DISPATCHER_DENIAL_LOG_H_
#define CAISSON_DISPATCHER_DENIAL_LOG_H_

#include <cstddef>
#include <map>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "ipc/messages.h"
#include "ipc/run_streams.h"

namespace caisson::dispatcher {

// Of a result, all steps together: results are kept, and a program can be refused many calls.
inline constexpr size_t kMostDenials = wire::kMaxDenialKinds + 1;
// So many of them carry their explanation.
inline constexpr size_t kMostExplained = 32;

// Of one step.
class DenialLog {
 public:
  void Add(const wire::Event& event);
  size_t size() const { return by_syscall_.size(); }
  // By syscall number, "other" last. Without a summary (init was killed) what was seen as it happened. Where
  // there are more than `most`, the last are summed up in "other"; those that the profile kills for are not
  // among them unless there are only such.
  std::vector<wire::Event> Listed(size_t most) const;

 private:
  std::map<uint32_t, wire::Event> by_syscall_;  // -1, the others, is the largest key
};

v1::Denial DenialToProto(ipc::Step step, const wire::Event& event);

struct StepDenials {
  ipc::Step step;
  const DenialLog* log;
};

// For a result: step by step, in the order given. A step can take no other's share of the list: what one
// leaves, the others get.
std::vector<v1::Denial> SummarizeDenials(const std::vector<StepDenials>& steps);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_DENIAL_LOG_H_
