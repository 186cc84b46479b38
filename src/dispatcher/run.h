// One run, from the queue to its last event. All of it on the I/O thread.
//
// queued → active (its steps, one after the other: step_run.h) → delivering (the result is known, the client
// reads) → ended. Between a compile step and its run step the bundle of the latter is completed, in small
// pieces. The place is held until the last sandbox is gone; the run ends when its last step has ended and the
// client has everything or is gone.
#ifndef CAISSON_DISPATCHER_RUN_H_
#define CAISSON_DISPATCHER_RUN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "caisson/v1/run.pb.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "dispatcher/client_stream.h"
#include "dispatcher/event_queue.h"
#include "dispatcher/output_files.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/run_bundle.h"
#include "dispatcher/run_host.h"
#include "dispatcher/run_input.h"
#include "dispatcher/run_name.h"
#include "dispatcher/run_outcome.h"
#include "dispatcher/scheduling/scheduler.h"
#include "dispatcher/step_run.h"
#include "dispatcher/tenancy/decision.h"
#include "dispatcher/tenant.h"
#include "dispatcher/upload_budget.h"
#include "ipc/messages.h"
#include "policy/limits.h"
#include "policy/tenant_policy.h"

namespace caisson::dispatcher {

// What a run has beside its run step where its profile has a compile step.
struct CompileSpec {
  policy::Limits limits;
  std::unique_ptr<RunBundle> next;  // becomes the bundle of the run step
};

// A validated request, made on a gRPC thread.
struct RunSpec {
  RunKey key = 0;  // 0: it gets one when it is submitted
  RunId id{};
  TenantId tenant;
  uint64_t number = 0;                                 // of its tenant's runs; comes with the key
  std::string request_id;                              // of CreateRun; empty: none
  std::string request_digest;                          // with it: of the request's body
  bool followable = false;                             // its events are stored
  std::string traceparent;                             // of its call; empty: none
  std::shared_ptr<const policy::TenantPolicy> policy;  // that it was judged by; null: by none
  Decision decision;
  int32_t priority = 0;
  int64_t deadline_ns = kNoDeadline;  // of the call; MonotonicNanos
  std::string profile;
  policy::Limits limits;  // of the run step, as what the client says of its output
  OutputOverflow overflow = OutputOverflow::kTruncate;
  std::map<std::string, std::string> labels;
  UniqueFd bundle;  // of the first step
  std::optional<CompileSpec> compile;
  uint64_t memory_bytes = 0;  // held while it is admitted
  uint64_t bundle_bytes = 0;  // held besides until the run step has its bundle
  UploadBudget::Share upload;
  InputSpec input;
  bool collects = false;  // output files were asked for
  uint64_t request_bytes = 0;
  int64_t received_ns = 0;  // MonotonicNanos
};

class Run final : public ClientStreamOwner, public StepOwner {
 public:
  enum class State : uint8_t { kQueued, kActive, kDelivering, kEnded };

  // A client that takes nothing for this long after the end of its run is cut off.
  static constexpr int64_t kDeliveryTimeoutMs = 30'000;
  // Of what a compile step writes, kept for its result.
  static constexpr size_t kMaxDiagnosticsBytes = 64UL * 1024;

  Run(RunHost& host, RunKey key, RunSpec spec, std::shared_ptr<ClientStream> client);
  ~Run() override;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // The run that `sandbox` belongs to. Each step has an id of its own.
  static RunKey KeyOf(ipc::SandboxId sandbox) { return sandbox >> 1U; }
  // The step whose sandbox has this id, for caissond's answers; null if it is not the current one.
  StepRun* FindStep(ipc::SandboxId sandbox);

  // Tells the client its place in the queue, if it changed and the last word about it has left.
  void TellPosition(uint32_t position);
  // Asks caissond for a sandbox; with `leaves_last`, not for the last one that was built ahead.
  void Admit(bool leaves_last);
  // Ends a waiting run with `status`; it leaves no result.
  void Refuse(const grpc::Status& status);
  // Ends the run at the client's or our wish. Without effect on a run whose end is known.
  void Cancel(ipc::CancelReason reason);
  // caissond is gone, and with it every sandbox. For admitted runs.
  void OnSupervisorLost();

  // ClientStreamOwner.
  void OnWritten() override;
  void OnInput(const v1::InteractRequest& message) override;
  void OnInputEnd() override;
  void OnGone(GoneReason reason) override;

  // StepOwner.
  bool HasRoom(Lane lane) override { return events_out_.HasRoom(lane); }
  absl::Status TakeStdin(UniqueFd pipe) override;
  void OnStarted(const ipc::IsolationReport& isolation) override;
  void OnOutput(Lane lane, uint64_t offset, std::string data) override;
  void OnDenial(const wire::Event& event) override;
  void OnSandboxGone() override;
  void OnStepEnded() override;

  State state() const { return state_; }
  const RunSpec& spec() const { return spec_; }
  const RunId& id() const { return spec_.id; }
  const TenantId& tenant() const { return spec_.tenant; }
  uint64_t number() const { return spec_.number; }
  int64_t received_ns() const { return spec_.received_ns; }
  // It was admitted, so its end frees a sandbox.
  bool admitted() const { return admitted_; }
  bool holds_place() const { return place_held_; }

 private:
  ipc::SandboxId SandboxOf(ipc::Step step) const {
    return (key_ << 1U) | (step == ipc::Step::kRun ? 1U : 0U);
  }
  bool compiling() const { return state_ == State::kActive && step_->outcome().step == ipc::Step::kCompile; }
  // There is no program to talk to any more.
  bool over() const { return (admitted_ && !place_held_) || state_ == State::kEnded; }
  // For the program, once it runs; of each kind one is kept until then.
  void Signal(int signal_number);
  void BeginCompileStep();
  void BeginRunStep();
  void BeginStep(StepSpec step);
  void AfterCompileStep();
  void ContinueRunBundle();
  void ConcludeBetweenSteps(const StepOutcome& outcome);
  void Conclude();
  v1::RunResult Result() const;
  void ReleaseBundle();
  void ReleasePlace();
  void ArmDeliveryTimer();
  void OnDeliveryTimeout();
  void Push(Lane lane, v1::RunEvent event);
  void WriteNext();
  void AskForInput();
  void RefuseInput(const std::string& complaint);
  void End();

  RunHost& host_;
  EventLoop& loop_;  // outlives the host
  const RunKey key_;
  RunSpec spec_;
  std::shared_ptr<ClientStream> client_;  // null once it is gone or has been finished
  State state_ = State::kQueued;
  bool admitted_ = false;
  bool leaves_last_ = false;
  EventQueue events_out_;
  uint32_t told_position_ = 0;
  std::optional<grpc::Status> refusal_;  // waits for the write in flight
  RunInput input_;
  bool wants_input_ = false;  // the client's next message waits for room
  OutputFiles files_;
  std::unique_ptr<StepRun> step_;  // the current one
  bool sandbox_gone_ = false;      // its sandbox
  bool place_held_ = false;
  std::optional<ipc::CancelReason> cancel_reason_;
  uint64_t early_signals_ = 0;  // by number
  std::string diagnostics_;
  EventLoop::TimerId bundle_timer_ = 0;  // between the steps
  RunOutcome outcome_;
  EventLoop::TimerId delivery_timer_ = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_H_
