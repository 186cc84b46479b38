// One step of a run: its sandbox, from PREPARE to the ends of its pipes. All of it on the I/O thread.
//
// starting (PREPARE and START sent; PREPARED brings the pipes) → running (STARTED) → draining (FINISHED came,
// or there will be none) → ended. The sandbox is free again at draining; the step ends when the pipes of
// stdout, stderr, events and output files are at their ends.
#ifndef CAISSON_DISPATCHER_STEP_RUN_H_
#define CAISSON_DISPATCHER_STEP_RUN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/unique_fd.h"
#include "dispatcher/event_queue.h"
#include "dispatcher/output_collector.h"
#include "dispatcher/output_pump.h"
#include "dispatcher/run_host.h"
#include "dispatcher/run_name.h"
#include "dispatcher/run_outcome.h"
#include "dispatcher/supervisor_link.h"
#include "ipc/event_decoder.h"
#include "ipc/messages.h"
#include "policy/limits.h"

namespace caisson::dispatcher {

struct StepSpec {
  ipc::SandboxId sandbox = 0;
  RunId run_id{};
  std::string profile;
  ipc::Step step = ipc::Step::kRun;
  policy::Limits limits;
  bool output_limit_kills = false;
  bool tty = false;          // a terminal instead of three pipes
  bool leaves_last = false;  // of the sandboxes built ahead, one is for others
  UniqueFd bundle;
  ipc::OutputSink* outputs = nullptr;  // null: no output files were asked for
};

// Whoever runs the step. None of these destroys it before it returns.
class StepOwner {
 public:
  virtual ~StepOwner() = default;
  virtual bool HasRoom(Lane lane) = 0;
  // The write end of the program's standard input. An error ends the step as a failure of ours.
  virtual absl::Status TakeStdin(UniqueFd pipe) = 0;
  // The program is about to be let go.
  virtual void OnStarted(const ipc::IsolationReport& isolation) = 0;
  virtual void OnOutput(Lane lane, uint64_t offset, std::string data) = 0;
  virtual void OnDenial(const wire::Event& event) = 0;
  // There is no sandbox any more, and outcome().finished is known; the pipes may hold more.
  virtual void OnSandboxGone() = 0;
  // Everything is known.
  virtual void OnStepEnded() = 0;
};

class StepRun {
 public:
  // How long init may take to send the output files.
  static constexpr uint64_t kCollectMs = 30'000;

  // `host`, `owner` and the spec's sink outlive the step.
  StepRun(RunHost& host, StepOwner& owner, StepSpec spec);
  ~StepRun();
  StepRun(const StepRun&) = delete;
  StepRun& operator=(const StepRun&) = delete;

  // Asks caissond for a sandbox, and to start the program in it.
  void Prepare();
  // Ends the step. Without effect on one that was canceled before, or has no sandbox any more.
  void Cancel(ipc::CancelReason reason);
  // For the main process; kept until it is let go, lost once it has ended.
  void Signal(int signal_number);
  // caissond is gone, and with it the sandbox.
  void OnSupervisorLost();

  // caissond's answers.
  void OnPrepared(const ipc::Prepared& message, std::vector<UniqueFd> fds);
  void OnPrepareFailed(const ipc::PrepareFailed& message);
  void OnStarted(const ipc::Started& message);
  void OnStartRefused(const ipc::StartRefused& message);
  void OnFinished(const ipc::Finished& message);

  // The owner has room again, or takes nothing any more.
  void Resume();
  void DiscardOutput();
  // Closes what did not end with its sandbox.
  void GiveUpPipes();

  ipc::SandboxId sandbox() const { return spec_.sandbox; }
  const StepOutcome& outcome() const { return outcome_; }

 private:
  enum class State : uint8_t { kNew, kStarting, kRunning, kDraining, kEnded };

  bool live() const { return state_ == State::kStarting || state_ == State::kRunning; }
  std::unique_ptr<OutputPump> MakePump(Lane lane);
  absl::Status OpenPipes(std::vector<UniqueFd> fds);
  void OnPipesFailed(const absl::Status& status);
  void BeginReading();
  void SendStart();
  void SendSignal(int signal_number);
  void SendCancel(ipc::CancelReason reason, uint32_t detail, uint64_t limit, uint64_t observed);
  void OnOutputLimit(Lane lane);
  void OnEventsReady();
  void OnEvent(const wire::Event& event);
  void ClosePipes();
  void CloseEvents();
  void ResumeCollector();
  void FailWithoutSandbox(ipc::Refusal refusal, const ipc::SetupError& error, const std::string& detail);
  void BeginDraining(const ipc::Finished& message);
  void HoldToOutputLimit();
  void EndIfDrained();

  RunHost& host_;
  EventLoop& loop_;  // outlives the host
  StepOwner& owner_;
  StepSpec spec_;
  State state_ = State::kNew;
  bool discards_ = false;  // nobody wants what comes out
  bool prepared_ = false;  // the sandbox is there, and its pipes
  std::unique_ptr<OutputPump> stdout_;
  std::unique_ptr<OutputPump> stderr_;
  const OutputPump* over_limit_ = nullptr;  // the first stream that passed its limit, where that ends the run
  std::unique_ptr<OutputCollector> collector_;
  UniqueFd events_in_;
  bool events_watched_ = false;
  ipc::EventDecoder decoder_;
  StepOutcome outcome_;
  uint64_t early_signals_ = 0;  // by number
  bool failed_here_ = false;    // we gave up a sandbox that is well: no word of caissond's about it counts
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_STEP_RUN_H_
