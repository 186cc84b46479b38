#include "dispatcher/supervisor_link.h"

#include <sys/epoll.h>

#include <bit>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

// Messages taken in one turn of the loop, so that a burst from caissond does not hold up the pipes.
constexpr int kMaxMessagesPerTurn = 64;

}  // namespace

SupervisorLink::~SupervisorLink() {
  loop_.Cancel(failure_timer_);
  if (!lost_ && on_message_ != nullptr) {
    loop_.Unwatch(socket_.get());
  }
}

absl::Status SupervisorLink::Start(MessageHandler on_message, LostHandler on_lost) {
  on_message_ = std::move(on_message);
  on_lost_ = std::move(on_lost);
  return loop_.Watch(socket_.get(), EPOLLIN, [this](uint32_t events) { OnReady(events); });
}

void SupervisorLink::SendBytes(std::span<const std::byte> bytes, UniqueFd fd) {
  if (lost_) {
    return;
  }
  if (outgoing_.empty()) {
    const absl::Status sent = SendOne(bytes, fd);
    if (sent.ok()) {
      return;
    }
    if (!absl::IsUnavailable(sent)) {
      LoseLater(sent);
      return;
    }
    if (const absl::Status watched = WaitForRoom(); !watched.ok()) {
      LoseLater(watched);
      return;
    }
  }
  CAISSON_CHECK(outgoing_.size() < kMaxOutgoing);
  outgoing_.push_back(Outgoing{{bytes.begin(), bytes.end()}, std::move(fd)});
}

absl::Status SupervisorLink::WaitForRoom() { return loop_.Rewatch(socket_.get(), EPOLLIN | EPOLLOUT); }

void SupervisorLink::SendSignal(ipc::SandboxId sandbox, int signal_number) {
  CAISSON_CHECK(signal_number > 0 && signal_number < 64);
  if (lost_) {
    return;
  }
  const bool others_wait = !outgoing_.empty() || !waiting_signals_.empty();
  waiting_signals_[sandbox] |= uint64_t{1} << static_cast<unsigned>(signal_number);
  if (others_wait) {
    return;
  }
  absl::Status status = FlushSignals();
  if (absl::IsUnavailable(status)) {
    status = WaitForRoom();
  }
  if (!status.ok()) {
    LoseLater(status);
  }
}

// One signal of each sandbox in turn, so that no client's flood is before another's single one.
absl::Status SupervisorLink::FlushSignals() {
  while (!waiting_signals_.empty()) {
    auto next = waiting_signals_.upper_bound(last_signaled_);
    if (next == waiting_signals_.end()) {
      next = waiting_signals_.begin();
    }
    auto signal = ipc::Make<ipc::Signal>();
    signal.sandbox = next->first;
    signal.signal_number = std::countr_zero(next->second);
    RETURN_IF_ERROR(SendOne(ipc::AsBytes(signal), UniqueFd()));
    last_signaled_ = next->first;
    next->second &= next->second - 1;
    if (next->second == 0) {
      waiting_signals_.erase(next);
    }
  }
  return absl::OkStatus();
}

absl::Status SupervisorLink::SendOne(std::span<const std::byte> bytes, const UniqueFd& fd) {
  const int number = fd.get();
  return SendPacket(socket_.get(), bytes,
                    fd.valid() ? std::span<const int>(&number, 1) : std::span<const int>());
}

void SupervisorLink::OnReady(uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    Flush();
  }
  if (!lost_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    Receive();
  }
}

void SupervisorLink::Receive() {
  for (int i = 0; i < kMaxMessagesPerTurn && !lost_; ++i) {
    absl::StatusOr<Packet> packet = ReceivePacket(socket_.get());
    if (absl::IsUnavailable(packet.status())) {
      return;
    }
    if (!packet.ok()) {
      Lose(packet.status());
      return;
    }
    const absl::StatusOr<ipc::Reply> reply = ipc::DecodeReply(packet->bytes, packet->fds.size());
    if (!reply.ok()) {
      Lose(reply.status());
      return;
    }
    on_message_(*reply, std::move(packet->fds));
  }
}

void SupervisorLink::Flush() {
  while (!outgoing_.empty()) {
    const absl::Status sent = SendOne(outgoing_.front().bytes, outgoing_.front().fd);
    if (absl::IsUnavailable(sent)) {
      return;
    }
    if (!sent.ok()) {
      Lose(sent);
      return;
    }
    outgoing_.pop_front();
  }
  const absl::Status signaled = FlushSignals();
  if (absl::IsUnavailable(signaled)) {
    return;
  }
  if (!signaled.ok()) {
    Lose(signaled);
    return;
  }
  if (const absl::Status watched = loop_.Rewatch(socket_.get(), EPOLLIN); !watched.ok()) {
    Lose(watched);
  }
}

// From the loop, never from inside a caller's Send.
void SupervisorLink::LoseLater(const absl::Status& reason) {
  if (failure_timer_ == 0) {
    failure_timer_ = loop_.At(0, [this, reason] { Lose(reason); });
  }
}

void SupervisorLink::Lose(const absl::Status& reason) {
  if (std::exchange(lost_, true)) {
    return;
  }
  outgoing_.clear();
  waiting_signals_.clear();
  loop_.Unwatch(socket_.get());
  socket_.reset();
  on_lost_(reason);
}

}  // namespace caisson::dispatcher
