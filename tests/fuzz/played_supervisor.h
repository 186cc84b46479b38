// caissond's end of the boundary as a fuzz target plays it: real sockets and pipes, no sandboxes. It holds
// every request of the dispatcher to the table that caissond holds it to (src/ipc/state_table.h).
#ifndef CAISSON_TESTS_FUZZ_PLAYED_SUPERVISOR_H_
#define CAISSON_TESTS_FUZZ_PLAYED_SUPERVISOR_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <variant>

#include "common/packet_socket.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "ipc/codec.h"
#include "ipc/messages.h"
#include "ipc/output_records.h"
#include "ipc/state_table.h"
#include "sandbox_pipes.h"

namespace caisson::dispatcher {

class PlayedSupervisor {
 public:
  // What becomes of the sandbox whose turn it is.
  enum class Fate : uint8_t { kKind, kRefused, kExits, kFails, kPrints, kGoes };

  explicit PlayedSupervisor(UniqueFd socket) : socket_(std::move(socket)) {}

  // Takes what waits. A request that caissond would call a violation, or a second run of a sandbox, is a bug.
  void Receive() {
    for (;;) {
      absl::StatusOr<Packet> packet = ReceivePacket(socket_.get());
      if (!packet.ok()) {
        return;
      }
      const absl::StatusOr<ipc::Request> request = ipc::DecodeRequest(packet->bytes, packet->fds.size());
      CAISSON_CHECK(request.ok());
      std::visit([this](const auto& message) { this->Take(message); }, *request);
    }
  }

  // One step of the life of one sandbox.
  void Advance(Fate fate) {
    if (sandboxes_.empty()) {
      return;
    }
    auto& [id, sandbox] = *sandboxes_.rbegin();
    switch (sandbox.state) {
      case ipc::SandboxState::kPreparing:
      case ipc::SandboxState::kStarting:
        return fate == Fate::kRefused ? Refuse<ipc::PrepareFailed>(id) : SendPrepared(id, sandbox);
      case ipc::SandboxState::kRunning:
        return sandbox.started
                   ? Run(id, sandbox, fate)
                   : (fate == Fate::kRefused ? Refuse<ipc::StartRefused>(id) : SendStarted(id, sandbox));
      case ipc::SandboxState::kEnding:
        return SendFinished(id, ipc::Verdict::kCanceled, 0);
      default:
        return;
    }
  }

  // It dies, and all sandboxes with it.
  void Die() {
    socket_.reset();
    sandboxes_.clear();
  }
  bool alive() const { return socket_.valid(); }
  size_t runs() const { return runs_.size(); }

 private:
  struct Sandbox {
    ipc::SandboxState state = ipc::SandboxState::kPreparing;
    bool started = false;
    bool collects = false;
    bool tty = false;
    SandboxPipes pipes;
  };

  // The state that a request finds, once the table has let it through; null: it crossed an answer.
  template <typename M>
  Sandbox* Permitted(const M& message) {
    const auto found = sandboxes_.find(message.sandbox);
    const auto state = found == sandboxes_.end() ? ipc::SandboxState::kNone : found->second.state;
    const ipc::Permission permission = ipc::Check(ipc::MessageTraits<M>::kType, state);
    CAISSON_CHECK(permission != ipc::Permission::kViolation);
    return permission == ipc::Permission::kIgnored || found == sandboxes_.end() ? nullptr : &found->second;
  }
  void Take(const ipc::Prepare& message) {
    CAISSON_CHECK(Permitted(message) == nullptr);
    CAISSON_CHECK(used_.insert(message.sandbox).second);  // A sandbox serves once.
    runs_.insert(message.sandbox >> 1U);                  // Run::KeyOf
    sandboxes_[message.sandbox].tty = message.tty != 0;
  }
  void Take(const ipc::Start& message) {
    Sandbox* sandbox = Permitted(message);
    if (sandbox == nullptr) {
      return;
    }
    sandbox->state = sandbox->state == ipc::SandboxState::kPreparing ? ipc::SandboxState::kStarting
                                                                     : ipc::SandboxState::kRunning;
    sandbox->collects = message.collect_ms != 0;
  }
  void Take(const ipc::Cancel& message) {
    if (Sandbox* sandbox = Permitted(message); sandbox != nullptr) {
      sandbox->state = ipc::SandboxState::kEnding;
    }
  }
  void Take(const ipc::Signal& message) { static_cast<void>(Permitted(message)); }
  static void Take(const ipc::Serving& /*message*/) {}
  static void Take(const ipc::Reload& /*message*/) {}

  template <typename M>
  void Send(const M& message, std::span<const int> fds = {}) {
    static_cast<void>(
        SendPacket(socket_.get(), ipc::AsBytes(message), fds));  // The dispatcher may have left.
  }
  void SendPrepared(ipc::SandboxId id, Sandbox& sandbox) {
    const OuterEnds outer = sandbox.pipes.Open(sandbox.tty);
    std::array<int, ipc::kPreparedFds> fds{};
    std::transform(outer.begin(), outer.end(), fds.begin(), [](const UniqueFd& fd) { return fd.get(); });
    auto prepared = ipc::Make<ipc::Prepared>();
    prepared.sandbox = id;
    prepared.isolation.root = ipc::RootKind::kHost;
    Send(prepared, fds);
    sandbox.state = sandbox.state == ipc::SandboxState::kStarting ? ipc::SandboxState::kRunning
                                                                  : ipc::SandboxState::kPrepared;
  }
  void SendStarted(ipc::SandboxId id, Sandbox& sandbox) {
    auto started = ipc::Make<ipc::Started>();
    started.sandbox = id;
    started.isolation.root = ipc::RootKind::kHost;
    Send(started);
    sandbox.started = true;
  }
  template <typename M>
  void Refuse(ipc::SandboxId id) {
    auto refused = ipc::Make<M>();
    refused.sandbox = id;
    refused.refusal = ipc::Refusal::kCapacity;
    Send(refused);
    sandboxes_.erase(id);
  }
  void Run(ipc::SandboxId id, Sandbox& sandbox, Fate fate) {
    switch (fate) {
      case Fate::kPrints:
        return sandbox.pipes.Talk();
      case Fate::kGoes:
        return sandbox.pipes.CloseStdin();
      case Fate::kFails:
        return SendFinished(id, ipc::Verdict::kCompleted, 1);
      default:
        if (sandbox.collects) {
          sandbox.pipes.Collect(ipc::WholeFile("program", "x", 1) + ipc::Done());
        }
        return SendFinished(id, ipc::Verdict::kCompleted, 0);
    }
  }
  void SendFinished(ipc::SandboxId id, ipc::Verdict verdict, int32_t exit_code) {
    auto finished = ipc::Make<ipc::Finished>();
    finished.sandbox = id;
    finished.verdict = verdict;
    finished.ended_by = verdict == ipc::Verdict::kCanceled ? ipc::Actor::kClient : ipc::Actor::kProgram;
    finished.exited = verdict == ipc::Verdict::kCompleted ? 1 : 0;
    finished.exit_code = exit_code;
    finished.violation_syscall = -1;
    sandboxes_.erase(id);  // Its pipes end before the word about it.
    Send(finished);
  }

  UniqueFd socket_;
  std::map<ipc::SandboxId, Sandbox> sandboxes_;
  std::set<ipc::SandboxId> used_;
  std::set<uint64_t> runs_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_TESTS_FUZZ_PLAYED_SUPERVISOR_H_
