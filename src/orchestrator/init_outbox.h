// What caissond has to say to a running sandbox's init, which may be throttled for long and leave its socket
// full: that waits here, within bounds, until there is room.
#ifndef CAISSON_ORCHESTRATOR_INIT_OUTBOX_H_
#define CAISSON_ORCHESTRATOR_INIT_OUTBOX_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"

namespace caisson::orchestrator {

class InitOutbox {
 public:
  // As the kernel has it for a process that does not take its signals: each number waits once at most, and
  // different ones keep no order.
  void AddSignal(int signal_number);
  // To a question about record locks; there is one question at a time.
  void AddLocksHeld(uint64_t held) { locks_held_ = held; }
  bool has_answer() const { return locks_held_.has_value(); }

  // Sends what `socket` takes. kUnavailable: more waits for room there. Any other error: nothing can be sent
  // to this init any more, and nothing waits.
  absl::Status Flush(int socket);

 private:
  absl::Status SendOne(int socket);

  uint64_t signals_ = 0;  // bit n: signal n + 1
  std::optional<uint64_t> locks_held_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_INIT_OUTBOX_H_
