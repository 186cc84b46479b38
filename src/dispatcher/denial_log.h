// The refused system calls of one run: what init reports as they happen, and its summary at the end, joined.
// The events were range-checked by ipc::EventDecoder; names come from our own table.
#ifndef CAISSON_DISPATCHER_DENIAL_LOG_H_
#define CAISSON_DISPATCHER_DENIAL_LOG_H_

#include <map>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "ipc/run_streams.h"

namespace caisson::dispatcher {

// So many entries of a result carry their explanation: results are kept, and a program can be refused many
// calls.
inline constexpr size_t kMostExplained = 32;

class DenialLog {
 public:
  void Add(const wire::Event& event);
  // By syscall number, "other" last. Without a summary (init was killed) what was seen as it happened.
  std::vector<v1::Denial> Summary() const;

 private:
  std::map<uint32_t, wire::Event> by_syscall_;  // -1, the others, is the largest key
};

v1::Denial DenialToProto(const wire::Event& event);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_DENIAL_LOG_H_
