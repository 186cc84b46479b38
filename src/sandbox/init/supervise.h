// init's second half: locked, it lets the stub go, answers its refused calls, reaps, reports, ends.
#ifndef CAISSON_SANDBOX_INIT_SUPERVISE_H_
#define CAISSON_SANDBOX_INIT_SUPERVISE_H_

#include "sandbox/init/denials.h"
#include "sandbox/init/lock_budget.h"
#include "sandbox/init/notification.h"
#include "sandbox/init/observed.h"
#include "sandbox/init/plan_reader.h"
#include "sandbox/init/report.h"

namespace caisson::init {

// Descriptors of init once the stub is cloned. All are in the table that both share until the stub detaches.
struct Descriptors {
  int control;
  int child_signals;  // signalfd for SIGCHLD
  int error_read;     // from the stub
  int error_write;
  int go_read;
  int go_write;
  int events_write;
  int outputs_write;
  int terminal;  // that of 0, 1 and 2 which init keeps until the run is over; -1 without a terminal
};

class Supervisor {
 public:
  Supervisor(PlanReader plan, const Descriptors& fds, int stub, Progress& progress);

  // Waits until the stub is locked. Ends this process if it reports a failure.
  StubReport AwaitReady();
  // Serves until the run is over and reported. The kernel kills what is left when PID 1 ends.
  [[noreturn]] void Run(int listener);

 private:
  void OnControl();
  void OnGo(const sandbox::GoMessage& go, int bundle);
  void OnSignal(const sandbox::SignalMessage& message) const;
  void OnStubReports();
  void OnStubReport(const StubReport& report);
  void OnNotification();
  void OnLockCall(uint64_t id, const NotifiedCall& call);
  void OnLocksHeld(const sandbox::LocksHeldMessage& message);
  void Answer(uint64_t id, int error, uint32_t flags) const;
  void Refuse(const NotifiedCall& call, uint64_t id, uint8_t answer);
  void OnChildren();
  [[noreturn]] void GiveUp(long result) const;
  void CloseInnerEnds();
  void ReapOne(int pid, int status);
  [[noreturn]] void Finish();
  void SendSummary();
  void SendEvent(wire::EventType type, const DenialKind& kind) const;
  void SendObserved(wire::EventType type, const ObservedKind& observed) const;

  Descriptors fds_;
  int stub_;
  int listener_ = -1;
  int bundle_ = -1;
  bool collects_ = false;  // output files are wanted; the bundle stays open until then
  Progress& progress_;
  AnswerTable answers_;
  DenialCounter denials_;
  ObservedCalls observed_;
  LockBudget locks_;
  // A call for a lock that waits for caissond's answer; no other notification is taken meanwhile.
  struct {
    bool waits;
    uint64_t id;
    NotifiedCall call;
  } asked_{};
  bool main_ended_ = false;
  bool failed_ = false;
  bool let_go_ = false;  // the stub was told to start: from here on something of the client's may have run
  int violation_ = -1;
  bool denial_rate_hit_ = false;
  int main_status_ = 0;
  int64_t go_ns_ = 0;
  int64_t exec_ns_ = 0;
  int64_t exit_ns_ = 0;
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_SUPERVISE_H_
