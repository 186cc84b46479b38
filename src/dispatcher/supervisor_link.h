// The dispatcher's end of the boundary socket: framing, an outgoing queue, and the end of the connection.
// Runs on the I/O thread. Messages from caissond are trusted but checked in form; descriptors belong to the
// receiver.
#ifndef CAISSON_DISPATCHER_SUPERVISOR_LINK_H_
#define CAISSON_DISPATCHER_SUPERVISOR_LINK_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/event_loop.h"
#include "common/packet_socket.h"
#include "common/unique_fd.h"
#include "ipc/codec.h"
#include "ipc/messages.h"

namespace caisson::dispatcher {

class SupervisorLink {
 public:
  using MessageHandler = std::function<void(const ipc::Reply& reply, std::vector<UniqueFd> fds)>;
  // `reason` is kAborted at end of file and something else for a broken message.
  using LostHandler = std::function<void(const absl::Status& reason)>;

  // Outgoing messages that may wait for caissond: a few for each run, none for signals. It reads all the
  // time, so more than this means that it does not.
  static constexpr size_t kMaxOutgoing = 16'384;

  SupervisorLink(EventLoop& loop, UniqueFd socket) : loop_(loop), socket_(std::move(socket)) {}
  ~SupervisorLink();
  SupervisorLink(const SupervisorLink&) = delete;
  SupervisorLink& operator=(const SupervisorLink&) = delete;

  // Starts delivering messages. `on_lost` comes at most once, and nothing after it.
  absl::Status Start(MessageHandler on_message, LostHandler on_lost);

  // Sends `message`, now or when the socket takes it; keeps the order. `fd` is closed once sent. Nothing is
  // sent after the link is lost.
  template <class M>
  void Send(const M& message, UniqueFd fd = UniqueFd()) {
    SendBytes(ipc::AsBytes(message), std::move(fd));
  }

  // Sends SIGNAL, now or when nothing else waits any more. While it waits the same one again is one, as in a
  // process that has not taken it yet: clients decide how many there are.
  void SendSignal(ipc::SandboxId sandbox, int signal_number);
  // Those that still wait are for nobody.
  void ForgetSignals(ipc::SandboxId sandbox) { waiting_signals_.erase(sandbox); }

  bool lost() const { return lost_; }

 private:
  struct Outgoing {
    std::vector<std::byte> bytes;
    UniqueFd fd;
  };

  void SendBytes(std::span<const std::byte> bytes, UniqueFd fd);
  // The socket takes no more now; what waits follows as soon as it does.
  absl::Status WaitForRoom();
  absl::Status FlushSignals();
  void OnReady(uint32_t events);
  void Receive();
  void Flush();
  void LoseLater(const absl::Status& reason);
  void Lose(const absl::Status& reason);
  absl::Status SendOne(std::span<const std::byte> bytes, const UniqueFd& fd);

  EventLoop& loop_;
  UniqueFd socket_;
  MessageHandler on_message_;
  LostHandler on_lost_;
  std::deque<Outgoing> outgoing_;
  std::map<ipc::SandboxId, uint64_t> waiting_signals_;  // bit n: signal n; no entry without a bit
  ipc::SandboxId last_signaled_ = 0;                    // the turns go round from here
  bool lost_ = false;
  EventLoop::TimerId failure_timer_ = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SUPERVISOR_LINK_H_
