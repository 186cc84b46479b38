// Fuzzes the dispatcher's decoder of a sandbox's events. The first byte is the size of the pieces in which
// the rest arrives; the result must not depend on it. Each input is one of a learning run, and of another.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "common/status.h"
#include "ipc/event_decoder.h"

namespace caisson::ipc {
namespace {

struct Outcome {
  std::vector<wire::Event> events;
  absl::Status status;
};

Outcome Decode(std::span<const std::byte> bytes, size_t piece, bool learning) {
  Outcome outcome;
  EventDecoder decoder;
  if (learning) {
    decoder.ExpectObserved();
  }
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const absl::Status status =
        decoder.Feed(bytes.subspan(at, std::min(piece, bytes.size() - at)), outcome.events);
    CAISSON_CHECK(outcome.status.ok() || status == outcome.status);  // Broken for good.
    outcome.status = status;
  }
  outcome.status = decoder.Finish();
  return outcome;
}

void FuzzOne(std::span<const std::byte> bytes, size_t piece, bool learning) {
  const Outcome pieces = Decode(bytes, piece, learning);
  const Outcome whole = Decode(bytes, std::max<size_t>(1, bytes.size()), learning);
  CAISSON_CHECK(pieces.status == whole.status && pieces.events.size() == whole.events.size());
  CAISSON_CHECK(whole.events.size() <= wire::kMaxEvents);
  for (size_t i = 0; i < whole.events.size(); ++i) {
    CAISSON_CHECK(std::memcmp(&pieces.events[i], &whole.events[i], sizeof(wire::Event)) == 0);
    CAISSON_CHECK(whole.events[i].syscall_number >= -1 && whole.events[i].syscall_number < 1024);
    CAISSON_CHECK(learning || whole.events[i].type <= wire::EventType::kOtherDenials);
  }
}

}  // namespace
}  // namespace caisson::ipc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
  if (!input.empty()) {
    const size_t piece = std::max<size_t>(1, std::to_integer<size_t>(input.front()));
    caisson::ipc::FuzzOne(input.subspan(1), piece, false);
    caisson::ipc::FuzzOne(input.subspan(1), piece, true);
  }
  return 0;
}
