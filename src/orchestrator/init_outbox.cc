// Run by caissond as root, in the event loop's thread.
#include "orchestrator/init_outbox.h"

#include <bit>
#include <span>

#include "common/packet_socket.h"
#include "common/status.h"
#include "sandbox/control_messages.h"

namespace caisson::orchestrator {
namespace {

constexpr int kMaxSignal = 64;

template <class M>
absl::Status Send(int socket, const M& message) {
  return SendPacket(socket, std::as_bytes(std::span(&message, 1)));
}

}  // namespace

void InitOutbox::AddSignal(int signal_number) {
  CAISSON_CHECK(signal_number >= 1 && signal_number <= kMaxSignal);
  signals_ |= uint64_t{1} << static_cast<unsigned>(signal_number - 1);
}

// The answer first: a thread of the payload waits for it.
absl::Status InitOutbox::SendOne(int socket) {
  if (locks_held_) {
    RETURN_IF_ERROR(Send(socket, sandbox::LocksHeldMessage{sandbox::kControlMagic,
                                                           sandbox::ControlType::kLocksHeld, *locks_held_}));
    locks_held_.reset();
    return absl::OkStatus();
  }
  const int number = std::countr_zero(signals_) + 1;
  RETURN_IF_ERROR(
      Send(socket, sandbox::SignalMessage{sandbox::kControlMagic, sandbox::ControlType::kSignal, number, 0}));
  signals_ &= signals_ - 1;
  return absl::OkStatus();
}

absl::Status InitOutbox::Flush(int socket) {
  while (locks_held_ || signals_ != 0) {
    absl::Status status = SendOne(socket);
    if (!status.ok()) {
      if (!absl::IsUnavailable(status)) {
        locks_held_.reset();
        signals_ = 0;
      }
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace caisson::orchestrator
