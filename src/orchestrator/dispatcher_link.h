// caissond's end of the boundary: one dispatcher, its requests, its sandboxes.
#ifndef CAISSON_ORCHESTRATOR_DISPATCHER_LINK_H_
#define CAISSON_ORCHESTRATOR_DISPATCHER_LINK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "common/event_loop.h"
#include "common/packet_socket.h"
#include "common/unique_fd.h"
#include "ipc/codec.h"
#include "orchestrator/capacity.h"
#include "orchestrator/descriptor_disposal.h"
#include "orchestrator/sandbox_pool.h"
#include "orchestrator/session.h"

namespace caisson::orchestrator {

// Everything received is untrusted. A message that is malformed, or not permitted in the sandbox's state,
// ends the session with this dispatcher: its sandboxes die, and `on_broken` is called once.
class DispatcherLink : public SessionListener {
 public:
  struct Callbacks {
    std::function<void(const std::string& reason)> on_broken;
    std::function<void()> on_serving;
    std::function<ipc::Reloaded()> on_reload;  // the answer, but for wait_ms; null: RELOAD is not permitted
    std::function<void()> on_idle;             // the last sandbox is gone
  };

  DispatcherLink(EventLoop& loop, BuilderProcess& builder, SandboxPool& pool, DescriptorDisposal& disposal,
                 const ProfileStore& profiles, Capacity capacity, uint32_t accepted_degradations,
                 Callbacks callbacks);
  DispatcherLink(const DispatcherLink&) = delete;
  DispatcherLink& operator=(const DispatcherLink&) = delete;
  ~DispatcherLink() override;

  // What a dispatcher is given at its start, and policies again later: with one descriptor each.
  struct Handed {
    std::variant<ipc::Listener, ipc::Policy> message;
    std::vector<UniqueFd> fds;
  };
  // Takes our end of a new dispatcher's socket and greets it.
  absl::Status Connect(UniqueFd socket, const ipc::Hello& hello);
  // Without effect where there is no dispatcher.
  void Hand(Handed handed);
  // The dispatcher is gone or must go: ends all of its sandboxes; their ends are reported to nobody.
  void Disconnect();
  void SendDrain(uint64_t grace_ms);
  // Ends every sandbox as the operator's decision.
  void ShutDown();
  // From now on every PREPARE is refused.
  void RefuseNew() { draining_ = true; }

  size_t sandboxes() const { return live_.size() + leaving_.size(); }
  // Of those, the ones that have not ended yet.
  size_t runs() const { return live_.size(); }

  void OnPrepared(Session& session, const ipc::Prepared& message, std::vector<UniqueFd> fds) override;
  void OnPrepareFailed(Session& session, const ipc::PrepareFailed& message) override;
  void OnStarted(Session& session, const ipc::Started& message) override;
  void OnStartRefused(Session& session, const ipc::StartRefused& message) override;
  void OnFinished(Session& session, const ipc::Finished& message) override;
  void OnGone(Session& session) override;

 private:
  struct Outgoing {
    std::vector<std::byte> bytes;
    std::vector<UniqueFd> fds;
  };

  // A START whose sandbox is not ready yet. It was checked, and its memory is promised.
  struct EarlyStart {
    ipc::Start start;
    UniqueFd bundle;
  };

  void OnSocket(uint32_t events);
  // Takes out of `packet` what it keeps.
  absl::Status Handle(Packet& packet);
  // What concerns no sandbox (dispatcher_link_session.cc).
  absl::Status HandleServing();
  absl::Status HandleReload();
  void HandlePrepare(const ipc::Prepare& prepare);
  bool PrepareFromPool(const ipc::Prepare& prepare, const StepPlan& plan);
  void HandleStart(const ipc::Start& start, UniqueFd& bundle);
  void ForgetEarlyStart(ipc::SandboxId id);
  void HandleCancel(const ipc::Cancel& cancel);
  void RefusePrepare(ipc::SandboxId id, ipc::Refusal refusal, ipc::LimitName limit,
                     const std::string& message);
  void RefuseStart(ipc::SandboxId id, ipc::Refusal refusal, ipc::LimitName limit, const std::string& message);
  ipc::SandboxState StateOf(ipc::SandboxId id) const;
  uint64_t PromisedMemory() const;
  void Leave(Session& session);
  void Break(const std::string& reason);
  template <class M>
  void Send(const M& message, std::vector<UniqueFd>&& fds = {}) {
    Queue(ipc::AsBytes(message), std::move(fds));
  }
  void Queue(std::span<const std::byte> bytes, std::vector<UniqueFd> fds);
  void Flush();

  EventLoop& loop_;
  BuilderProcess& builder_;
  SandboxPool& pool_;
  DescriptorDisposal& disposal_;
  const ProfileStore& profiles_;
  Capacity capacity_;
  uint32_t accepted_degradations_;
  Callbacks callbacks_;
  UniqueFd socket_;
  bool draining_ = false;
  bool serving_ = false;
  int64_t next_reload_ns_ = 0;  // of this dispatcher: one sooner is a violation
  std::deque<Outgoing> outgoing_;
  size_t outgoing_fds_ = 0;  // in all of them
  std::map<ipc::SandboxId, std::unique_ptr<Session>> live_;
  std::map<ipc::SandboxId, EarlyStart> early_starts_;
  std::map<Session*, std::unique_ptr<Session>> leaving_;  // ended, being removed; their ids are free again
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_DISPATCHER_LINK_H_
