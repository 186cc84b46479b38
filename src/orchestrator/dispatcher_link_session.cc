// Run by caissond as root: the requests of a dispatcher that concern no sandbox, SERVING and RELOAD. They are
// bare headers, so all that an attacker chooses is when.
#include <algorithm>
#include <utility>

#include "common/clock.h"
#include "orchestrator/dispatcher_link.h"

namespace caisson::orchestrator {
namespace {

// Reading again costs caissond's one thread at most this part of its time, and is a few lines of its log a
// second at most, whoever asks.
constexpr int64_t kReloadPart = 20;
constexpr int64_t kLeastReloadWaitMs = 1'000;

}  // namespace

absl::Status DispatcherLink::HandleServing() {
  if (std::exchange(serving_, true)) {
    return absl::InvalidArgumentError("SERVING is permitted once");  // Each one is a line in the log.
  }
  callbacks_.on_serving();
  return absl::OkStatus();
}

absl::Status DispatcherLink::HandleReload() {
  if (callbacks_.on_reload == nullptr || !serving_) {
    return absl::InvalidArgumentError("RELOAD is not permitted: nobody here is an admin");
  }
  const int64_t begin_ns = MonotonicNanos();
  if (begin_ns < next_reload_ns_) {
    return absl::InvalidArgumentError("RELOAD is permitted no sooner than RELOADED said");
  }
  ipc::Reloaded reloaded = callbacks_.on_reload();
  const int64_t end_ns = MonotonicNanos();
  const int64_t wait_ms = std::clamp((end_ns - begin_ns) * kReloadPart / kNanosPerMilli, kLeastReloadWaitMs,
                                     static_cast<int64_t>(ipc::kMostReloadWaitMs));
  // The dispatcher waits from when it has the answer, which is later.
  next_reload_ns_ = end_ns + wait_ms * kNanosPerMilli;
  reloaded.wait_ms = static_cast<uint64_t>(wait_ms);
  Send(reloaded);
  return absl::OkStatus();
}

}  // namespace caisson::orchestrator
