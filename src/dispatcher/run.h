// One run, from the queue to its last event. All of it on the I/O thread.
//
// queued → preparing (PREPARE sent) → starting (PREPARED came, START and the bundle sent) → running (STARTED)
// → draining (FINISHED came, or there will be none) → delivering (the result is known, the client reads) →
// ended. The sandbox is free again at draining; the run ends when both output pipes and the events pipe are
// at their end and the client has everything or is gone.
#ifndef CAISSON_DISPATCHER_RUN_H_
#define CAISSON_DISPATCHER_RUN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "dispatcher/client_stream.h"
#include "dispatcher/denial_log.h"
#include "dispatcher/event_queue.h"
#include "dispatcher/output_pump.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/run_name.h"
#include "dispatcher/run_outcome.h"
#include "dispatcher/stdin_writer.h"
#include "dispatcher/supervisor_link.h"
#include "ipc/event_decoder.h"
#include "ipc/messages.h"
#include "policy/limits.h"

namespace caisson::dispatcher {

// The number of a run: its place in time, its admission and its sandbox's id. Never 0, never used twice.
using RunKey = uint64_t;

// A validated request, made on a gRPC thread.
struct RunSpec {
  RunId id{};
  std::string profile;
  policy::Limits limits;
  OutputOverflow overflow = OutputOverflow::kTruncate;
  std::map<std::string, std::string> labels;
  UniqueFd bundle;
  std::string stdin_data;
  uint64_t request_bytes = 0;
  int64_t received_ns = 0;  // MonotonicNanos
};

// What a run needs of its surroundings. The callbacks may end runs, but never destroy one before the caller
// returns.
class RunHost {
 public:
  virtual ~RunHost() = default;
  virtual EventLoop& loop() = 0;
  virtual SupervisorLink& link() = 0;
  virtual const PumpResources& pump_resources() = 0;
  virtual void OnState(RunKey key, v1::Run::State state) = 0;
  // The run no longer holds a sandbox.
  virtual void OnSandboxFree(RunKey key) = 0;
  // The result is known. For a run that was canceled in the queue, too.
  virtual void OnResult(RunKey key, const v1::RunResult& result) = 0;
  // Nothing will happen to the run any more.
  virtual void OnEnded(RunKey key) = 0;
  // The client of a waiting run went away or canceled it.
  virtual void OnLeftQueue(RunKey key) = 0;
};

class Run final : public ClientStreamOwner {
 public:
  enum class State : uint8_t { kQueued, kPreparing, kStarting, kRunning, kDraining, kDelivering, kEnded };

  // A client that takes nothing for this long after the end of its run is cut off.
  static constexpr int64_t kDeliveryTimeoutMs = 30'000;

  Run(RunHost& host, RunKey key, RunSpec spec, std::shared_ptr<ClientStream> client);
  ~Run() override;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // Tells the client its place in the queue, if it changed and the last word about it has left.
  void TellPosition(uint32_t position);
  // Asks caissond for a sandbox.
  void Admit();
  // Ends a waiting run with `status`; it leaves no result.
  void Refuse(const grpc::Status& status);
  // Ends the run at the client's or our wish. Without effect on a run whose end is known.
  void Cancel(ipc::CancelReason reason);
  // caissond is gone, and with it every sandbox. For admitted runs.
  void OnSupervisorLost();

  // caissond's answers.
  void OnPrepared(const ipc::Prepared& message, std::vector<UniqueFd> fds);
  void OnPrepareFailed(const ipc::PrepareFailed& message);
  void OnStarted(const ipc::Started& message);
  void OnStartRefused(const ipc::StartRefused& message);
  void OnFinished(const ipc::Finished& message);

  // ClientStreamOwner.
  void OnWritten() override;
  void OnGone(GoneReason reason) override;

  State state() const { return state_; }
  // It was admitted, so its end frees a sandbox.
  bool admitted() const { return admitted_; }

 private:
  void SetState(State state);
  std::unique_ptr<OutputPump> MakePump(Lane lane);
  void SendStart();
  void SendCancel(ipc::CancelReason reason, uint32_t detail, uint64_t limit, uint64_t observed);
  void OnOutputLimit(Lane lane);
  void OnPipesFailed(const absl::Status& status);
  void BeginReading();
  void ResumePumps();
  void OnEventsReady();
  void ClosePipes();
  void CloseEvents();
  void DropContent();
  void FailWithoutSandbox(ipc::Refusal refusal, const ipc::SetupError& error, const std::string& detail);
  void BeginDraining(const ipc::Finished& message);
  void ArmDeliveryTimer();
  void OnDeliveryTimeout();
  void CompleteIfDrained();
  void Push(Lane lane, v1::RunEvent event);
  void WriteNext();
  void End();

  RunHost& host_;
  EventLoop& loop_;  // outlives the host
  const RunKey key_;
  RunSpec spec_;
  std::shared_ptr<ClientStream> client_;  // null once it is gone or has been finished
  State state_ = State::kQueued;
  bool admitted_ = false;
  EventQueue events_out_;
  uint32_t told_position_ = 0;
  std::optional<grpc::Status> refusal_;  // waits for the write in flight
  std::unique_ptr<StdinWriter> stdin_;
  std::unique_ptr<OutputPump> stdout_;
  std::unique_ptr<OutputPump> stderr_;
  UniqueFd events_in_;
  bool events_watched_ = false;
  ipc::EventDecoder decoder_;
  DenialLog denials_;
  RunOutcome outcome_;
  bool failed_here_ = false;  // we gave up a sandbox that is well: no word of caissond's about it counts
  EventLoop::TimerId delivery_timer_ = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_H_
