// Session: one sandbox's life as caissond sees it, from PREPARE to everything removed.
//
//   Build ─▶ preparing ─ready, isolation read and checked─▶ prepared ─START─▶ running ─end decided─▶ ending
//   ─all dead─▶ FINISHED sent ─init reaped─▶ cgroups removed ─▶ gone
//
// Between init's last record and its end lies the collection of output files, if START gave it time. The
// verdict is settled by then: nothing that happens meanwhile changes it.
//
// Only the kernel says "all dead": by init's pidfd, since with PID 1 everything in its namespace ends, or,
// after init's last record, by an empty payload cgroup (docs/adr/0011-finished-before-init.md).
#ifndef CAISSON_ORCHESTRATOR_SESSION_H_
#define CAISSON_ORCHESTRATOR_SESSION_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "common/event_loop.h"
#include "common/packet_socket.h"
#include "common/unique_fd.h"
#include "ipc/messages.h"
#include "ipc/state_table.h"
#include "orchestrator/builder_process.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/finished_message.h"
#include "orchestrator/init_outbox.h"
#include "orchestrator/init_records.h"
#include "orchestrator/profile_store.h"
#include "orchestrator/verdict.h"
#include "sandbox/plan.h"
#include "sandbox/setup_stage.h"

namespace caisson::orchestrator {

class Session;

// Who wants to know. Calls come from the event loop's thread, never from within Build.
class SessionListener {
 public:
  virtual ~SessionListener() = default;
  virtual void OnPrepared(Session& session, const ipc::Prepared& message, std::vector<UniqueFd> fds) = 0;
  virtual void OnPrepareFailed(Session& session, const ipc::PrepareFailed& message) = 0;
  virtual void OnStarted(Session& session, const ipc::Started& message) = 0;
  virtual void OnStartRefused(Session& session, const ipc::StartRefused& message) = 0;
  virtual void OnFinished(Session& session, const ipc::Finished& message) = 0;
  // Nothing of the sandbox is left; the session may be destroyed (not from within this call).
  virtual void OnGone(Session& session) = 0;
};

class Session {
 public:
  Session(EventLoop& loop, BuilderProcess& builder, SessionListener& listener, ipc::SandboxId id,
          const StepPlan& plan, ipc::Step step, uint32_t accepted_degradations);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Builds the sandbox; the answer comes through the listener later.
  void Build(uint64_t disk_bytes, uint64_t inode_count);
  // A sandbox that was built ahead, with the id 0, gets its id and somebody to report to. Only when prepared,
  // and once.
  void Adopt(ipc::SandboxId id, SessionListener& listener);
  // Only when prepared. The limits and the bundle were checked. Answers OnStarted or OnStartRefused. The
  // bundle stays the caller's to close, which may take a while: init gets a copy.
  void Start(const ipc::Start& start, const UniqueFd& bundle);
  // Only when running. One that init has no room for waits for it, each number once; to an init that is dead
  // it is lost.
  void Signal(int32_t signal_number);
  // Only when prepared: the sandbox goes unused, and nobody is told.
  void Discard();
  // In any state; the first cause counts. Output files are collected after every end but those that nobody
  // waits for (a cancel by the client, a shutdown, a lost dispatcher): these also end a collection.
  void End(EndCause cause, const ipc::Cancel* cancel = nullptr);

  const StepPlan& plan() const { return plan_; }
  ipc::SandboxId id() const { return id_; }
  ipc::SandboxState state() const { return state_; }
  // Its init has not ended yet, as far as is known.
  bool alive() const { return !init_dead_; }
  // Bytes of memory this session is promised: 0 until started.
  uint64_t promised_memory_bytes() const { return promised_memory_bytes_; }

 private:
  void OnBuilt(Sandbox sandbox, const BuildFailure* failure);
  absl::Status WatchInit();
  void OnControl(uint32_t events);
  void SendToInit();
  bool Accept(const InitRecord& record, std::vector<UniqueFd> fds);
  void ArmWait();
  void OnReady(const sandbox::ReadyMessage& message, std::vector<UniqueFd> fds);
  void OnFailed(const sandbox::FailedMessage& message);
  void OnDone(const sandbox::DoneMessage& message);
  void LetCollect();
  void ConcludeIfEmpty();
  void OnInitDead();
  void ReadLastWords();
  void OnOom();
  void CheckCpu();
  void ArmCpuCheck(uint64_t used_us);
  void CountLocks();
  void CheckSockets();
  void SampleMemory();
  void KeepMemorySample();
  void FailPreparation(const ipc::SetupError& error, const std::string& message);
  void RefuseStart(sandbox::SetupStage stage, const std::string& message);
  void Conclude();
  void CancelTimers();
  void StopWatching();
  void ScheduleRemoval(int64_t delay_nanos);
  void Later(int64_t delay_nanos, EventLoop::TimerId& timer, void (Session::*method)());
  void KillEverything();
  void OnSetupDeadline();
  void OnWallDeadline();
  void Remove();
  void OnRemoved(const absl::Status& status);

  EventLoop& loop_;
  BuilderProcess& builder_;
  SessionListener* listener_;
  ipc::SandboxId id_;
  const StepPlan& plan_;
  uint32_t accepted_degradations_;
  ipc::SandboxState state_ = ipc::SandboxState::kPreparing;
  Sandbox sandbox_;
  InitOutbox to_init_;
  BuilderProcess::Token order_ = 0;  // what the builder has not answered yet
  ipc::IsolationReport isolation_{};
  std::array<uint8_t, 16> run_id_{};  // once started; for the log
  Evidence evidence_;
  bool init_dead_ = false;
  bool started_ = false;
  bool asked_to_collect_ = false;     // init will collect after its last record
  int64_t collect_ns_ = 0;            // the time it has; 0 once nobody waits for the files
  std::optional<CgroupUsage> usage_;  // read before the collection, which is no part of the run
  uint64_t promised_memory_bytes_ = 0;
  int64_t prepare_ns_ = 0;
  RunTimes times_;
  ContextSwitches switches_;
  int64_t removal_delay_ns_ = 0;
  uint64_t cpu_before_us_ = 0;  // what building the sandbox took
  EventLoop::TimerId setup_timer_ = 0;
  EventLoop::TimerId wall_timer_ = 0;
  EventLoop::TimerId cpu_timer_ = 0;
  EventLoop::TimerId kill_timer_ = 0;
  std::optional<MemoryParts> memory_parts_;  // of the greatest sample
  int64_t memory_interval_ns_ = 0;
  EventLoop::TimerId memory_timer_ = 0;
  EventLoop::TimerId locks_timer_ = 0;    // set while init waits for an answer
  EventLoop::TimerId sockets_timer_ = 0;  // of a run that has a network
  EventLoop::TimerId removal_timer_ = 0;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_SESSION_H_
