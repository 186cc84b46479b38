// Decodes the events of one sandbox (ipc/run_streams.h) from its pipe. Runs in the dispatcher. init writes
// them, but init answers a hostile payload, so every field is range-checked and their number is bounded.
// Fuzzed by tests/fuzz/event_fuzz.cc.
#ifndef CAISSON_IPC_EVENT_DECODER_H_
#define CAISSON_IPC_EVENT_DECODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "ipc/run_streams.h"

namespace caisson::ipc {

// Takes the pipe's bytes in whatever pieces they arrive. Not thread-safe.
class EventDecoder {
 public:
  // Of a learning run, by caissond's word. Of any other, observed calls are malformed.
  void ExpectObserved() { learning_ = true; }

  // Appends the complete events in `bytes` to `events`. kInvalidArgument at the first malformed or surplus
  // one: those before it are delivered, and the decoder is broken for good, returning the same error to every
  // later call.
  absl::Status Feed(std::span<const std::byte> bytes, std::vector<wire::Event>& events);

  // To be called at end of file: kInvalidArgument if the stream stopped within an event.
  absl::Status Finish();

 private:
  absl::Status Accept(const wire::Event& event);
  absl::Status AcceptObserved(const wire::Event& event);

  absl::Status failure_;
  std::array<std::byte, sizeof(wire::Event)> partial_{};
  size_t partial_bytes_ = 0;
  uint32_t live_ = 0;
  uint32_t summaries_ = 0;
  uint32_t others_ = 0;
  bool learning_ = false;
  uint32_t observed_ = 0;
  uint32_t other_observed_ = 0;
};

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_EVENT_DECODER_H_
