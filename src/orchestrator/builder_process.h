// The process beside caissond that builds and removes sandboxes. Theory of operation:
//
//   caissond ──order: plan, ids, sizes──▶ builder: cgroups, user namespace, clone3 of init as caissond's
//   child
//            ◀─init's pidfd, control socket─
//   caissond ──remove run-7──▶ builder: rmdir    ◀─done, or still busy─
//
// Building a sandbox keeps a CPU busy for longer than a small program runs, and waits for the kernel in
// between. caissond has one thread, and runs that wait for it: a deadline, a START, an end. So it builds
// nothing itself. The builder is a fork of caissond with the same rights: it reads nothing but caissond's
// orders, and holds no descriptor of the dispatcher, of a client or of another sandbox. Where it dies,
// caissond cannot serve any more.
#ifndef CAISSON_ORCHESTRATOR_BUILDER_PROCESS_H_
#define CAISSON_ORCHESTRATOR_BUILDER_PROCESS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/event_loop.h"
#include "common/packet_socket.h"
#include "common/pidfd.h"
#include "common/unique_fd.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/held_locks.h"
#include "orchestrator/id_pool.h"
#include "orchestrator/profile_store.h"
#include "orchestrator/sandbox_builder.h"
#include "sandbox/spawner.h"

namespace caisson::orchestrator {

// caissond's end. Calls and answers in the event loop's thread.
class BuilderProcess {
 public:
  // `failure` is null where init has been started. Otherwise nothing runs, and the sandbox is to be removed.
  using OnBuilt = std::function<void(Sandbox sandbox, const BuildFailure* failure)>;
  // kUnavailable: still busy, to be tried again.
  using OnRemoved = std::function<void(absl::Status status)>;
  using Token = uint64_t;

  // Forks. `plans` are all that may be ordered; they, the spawner and the cgroups outlive this and do not
  // change. `on_dead` is called once, if the builder ends before this does.
  static absl::StatusOr<std::unique_ptr<BuilderProcess>> Start(EventLoop& loop, sandbox::Spawner& spawner,
                                                               CgroupBackend& cgroups, IdPool& ids,
                                                               std::vector<const StepPlan*> plans,
                                                               std::function<void()> on_dead);
  BuilderProcess(const BuilderProcess&) = delete;
  BuilderProcess& operator=(const BuilderProcess&) = delete;
  ~BuilderProcess();

  // Never answers from within the call.
  Token Build(const StepPlan& plan, uint64_t disk_bytes, uint64_t inode_count, OnBuilt on_built);
  // Removes the cgroups of a sandbox whose init was reaped; then its ids are free. `sandbox` stays the
  // caller's, who keeps it until the answer.
  Token Remove(Sandbox& sandbox, OnRemoved on_removed);
  // The answer is not wanted any more: whoever wanted it goes.
  void Forget(Token token);

  pid_t pid() const { return pid_; }
  // One for all runs, since their counting shares caissond's time.
  LockCounter& lock_counter() { return lock_counter_; }

 private:
  struct Wanted {
    Sandbox* removed = nullptr;  // null: it is to be built
    const StepPlan* plan = nullptr;
    sandbox::RunIds ids;
    std::string run;
    OnBuilt on_built;
    OnRemoved on_removed;
  };

  BuilderProcess(EventLoop& loop, CgroupBackend& cgroups, IdPool& ids, std::vector<const StepPlan*> plans,
                 std::function<void()> on_dead);

  Token Order(Wanted wanted, std::vector<std::byte> bytes);
  void OnSocket(uint32_t events);
  void OnProcessDead();
  void Flush();
  void Accept(Packet packet);
  // Its cgroups are gone.
  void Free(Sandbox& removed);
  void FailLater(Token token);
  void Fail(Token token);

  EventLoop& loop_;
  CgroupBackend& cgroups_;
  IdPool& ids_;
  std::vector<const StepPlan*> plans_;
  std::function<void()> on_dead_;
  PidFd process_;
  pid_t pid_ = 0;
  UniqueFd socket_;  // invalid once the builder is dead
  std::deque<std::vector<std::byte>> outgoing_;
  std::map<Token, Wanted> wanted_;
  Token next_ = 1;
  LockCounter lock_counter_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_BUILDER_PROCESS_H_
