// Sandboxes built ahead: never used, locked, waiting for the one step they will serve. Taking one moves it
// out for good; there is no function that puts one back (invariant 2 of THREAT_MODEL.md).
//
// How many wait follows demand, step by step of each profile: a run that found none doubles the number, ten
// idle seconds halve it, down to none. One is built at a time, when a run has just been let go and the loop
// has nothing better to do.
#ifndef CAISSON_ORCHESTRATOR_SANDBOX_POOL_H_
#define CAISSON_ORCHESTRATOR_SANDBOX_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "ipc/messages.h"
#include "orchestrator/session.h"

namespace caisson::orchestrator {

// A sandbox that waits, with what it said when it was ready.
struct ReadySandbox {
  std::unique_ptr<Session> session;
  ipc::Prepared prepared;
  std::vector<UniqueFd> fds;
};

class SandboxPool : public SessionListener {
 public:
  // `most`: how many may wait or be built at once, all profiles together; 0: none, ever. `on_gone`: one less
  // is left.
  SandboxPool(EventLoop& loop, BuilderProcess& builder, uint32_t most, uint32_t accepted_degradations,
              std::function<void()> on_gone);
  SandboxPool(const SandboxPool&) = delete;
  SandboxPool& operator=(const SandboxPool&) = delete;
  ~SandboxPool() override;

  // A waiting sandbox of `plan` with the profile's default sizes, the oldest first; nothing if there is none.
  // With `leaves_last`, the last one stays for whoever comes without. Counts as demand either way. The caller
  // adopts the session.
  std::optional<ReadySandbox> Take(const StepPlan& plan, ipc::Step step, bool leaves_last);
  // A good moment to build: somebody has just been served.
  void Nudge();
  // From now on there is none, and those that wait go.
  void Close();

  // All that exist: waiting, being built, being removed.
  size_t sandboxes() const { return waiting_ + leaving_.size() + (building_ != nullptr ? 1 : 0); }

  void OnPrepared(Session& session, const ipc::Prepared& message, std::vector<UniqueFd> fds) override;
  void OnPrepareFailed(Session& session, const ipc::PrepareFailed& message) override;
  void OnFinished(Session& session, const ipc::Finished& message) override;
  void OnGone(Session& session) override;
  // Never called: only who adopted a session starts it.
  void OnStarted(Session& session, const ipc::Started& message) override;
  void OnStartRefused(Session& session, const ipc::StartRefused& message) override;

 private:
  struct Shelf {
    ipc::Step step = ipc::Step::kRun;
    std::deque<ReadySandbox> waiting;
    size_t target = 0;
    bool asked = false;  // since the last look
  };

  void ScheduleBuild(int64_t delay_nanos);
  void BuildOne();
  void ScheduleLook();
  void LookForIdleShelves();
  void Remove(std::unique_ptr<Session> session);

  EventLoop& loop_;
  BuilderProcess& builder_;
  size_t most_;
  uint32_t accepted_degradations_;
  std::function<void()> on_gone_;
  std::map<const StepPlan*, Shelf> shelves_;
  size_t waiting_ = 0;
  std::unique_ptr<Session> building_;
  const StepPlan* building_for_ = nullptr;
  std::map<Session*, std::unique_ptr<Session>> leaving_;
  EventLoop::TimerId build_timer_ = 0;
  EventLoop::TimerId look_timer_ = 0;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_SANDBOX_POOL_H_
