// Runs as PID 1 inside, under init's own uid with CAP_KILL and CAP_DAC_READ_SEARCH only. Input: caissond's
// control messages, the stub's reports, and system-call notifications that a hostile payload chose in number
// and arguments; at the end, in collect.cc, the files it left.
#include "sandbox/init/supervise.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/ioctl.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/seccomp.h>
#include <linux/signal.h>
#include <linux/wait.h>

#include "sandbox/init/collect.h"
#include "sandbox/init/packet.h"

namespace caisson::init {
namespace {

constexpr int kCldExited = 1;  // CLD_* of siginfo_t
constexpr int kCldKilled = 2;
constexpr int kCldDumped = 3;
constexpr int kAll = -1;

ObservedKinds observed_kinds;  // in .bss: on the stack their room would cost every run a page

uint64_t DenialsPerSecond(PlanReader plan, AnswerTable& answers) {
  uint64_t limit = 0;
  PlanItem item{};
  plan.Rewind();
  while (plan.Next(item)) {
    if (item.type == sandbox::PlanRecord::kLimits) {
      limit = reinterpret_cast<const sandbox::PlanInitLimits*>(item.data)->denials_per_second;
      answers.counted_fcntl = reinterpret_cast<const sandbox::PlanInitLimits*>(item.data)->counted_fcntl;
    } else if (item.type == sandbox::PlanRecord::kDenyTable &&
               item.data_bytes == sandbox::kDenyTableEntries) {
      answers.deny_answers = item.data;
    }
  }
  return limit;
}

}  // namespace

Supervisor::Supervisor(PlanReader plan, const Descriptors& fds, int stub, Progress& progress)
    : fds_(fds),
      stub_(stub),
      progress_(progress),
      denials_(DenialsPerSecond(plan, answers_)),
      observed_(plan, observed_kinds) {}

StubReport Supervisor::AwaitReady() {
  StubReport report{};
  pollfd polled{fds_.error_read, POLLIN, 0};
  Syscall(__NR_ppoll, Address(&polled), 1, 0, 0, 0);
  const long got = Read(fds_.error_read, &report, sizeof report);
  if (got == static_cast<long>(sizeof report) && report.word == StubWord::kReady) {
    return report;
  }
  sandbox::FailedMessage message{sandbox::kControlMagic, sandbox::ControlType::kFailed, {}};
  const bool told = got == static_cast<long>(sizeof report) && report.word == StubWord::kFailed;
  message.record = told ? report.record : sandbox::SetupRecord{sandbox::SetupStage::kStubReport, 0, EPIPE};
  Write(fds_.control, &message, sizeof message);
  ExitGroup(1);
}

void Supervisor::Run(int listener) {
  listener_ = listener;
  for (;;) {
    pollfd polled[4] = {{fds_.control, POLLIN, 0},
                        {fds_.child_signals, POLLIN, 0},
                        {fds_.error_read, POLLIN, 0},
                        {asked_.waits ? -1 : listener_, POLLIN, 0}};
    const long ready = Syscall(__NR_ppoll, Address(polled), 4, 0, 0, 0);
    if (ready == -EINTR) {
      continue;
    }
    if (IsError(ready)) {
      GiveUp(ready);
    }
    if ((polled[3].revents & POLLIN) != 0) {
      OnNotification();
    } else if (polled[3].revents != 0) {
      listener_ = -1;  // The last process with the filter is gone; poll would report it for ever.
    }
    if (polled[2].revents != 0) {
      OnStubReports();
    }
    if (polled[1].revents != 0) {
      OnChildren();
    }
    if (polled[0].revents != 0) {
      OnControl();
    }
  }
}

// A call of init's own failed. That nothing ran is said only where it is certain; otherwise the end of init
// is all that caissond hears, and the kernel kills the rest.
void Supervisor::GiveUp(long result) const {
  if (!let_go_) {
    progress_.Fail(result);
  }
  ExitGroup(1);
}

void Supervisor::OnControl() {
  union {
    sandbox::GoMessage go;
    sandbox::SignalMessage signal;
    sandbox::LocksHeldMessage locks;
  } message{};
  int bundle = -1;
  const long got = ReceivePacket(fds_.control, &message, sizeof message, bundle);
  if (got == -EAGAIN || got == -EINTR) {
    return;
  }
  if (IsError(got)) {
    GiveUp(got);
  }
  const bool ours =
      got >= static_cast<long>(sizeof message.signal) && message.go.magic == sandbox::kControlMagic;
  if (ours && got == static_cast<long>(sizeof message.go) && message.go.type == sandbox::ControlType::kGo &&
      bundle >= 0 && bundle_ < 0) {
    OnGo(message.go, bundle);
  } else if (ours && got == static_cast<long>(sizeof message.signal) &&
             message.signal.type == sandbox::ControlType::kSignal && bundle < 0 && bundle_ >= 0) {
    OnSignal(message.signal);
  } else if (ours && got == static_cast<long>(sizeof message.locks) &&
             message.locks.type == sandbox::ControlType::kLocksHeld && bundle < 0 && asked_.waits) {
    OnLocksHeld(message.locks);
  } else {
    // End of file: caissond is gone or lets nothing run. Anything malformed: it is not our caissond.
    ExitGroup(0);
  }
}

void Supervisor::OnGo(const sandbox::GoMessage& go, int bundle) {
  bundle_ = bundle;
  collects_ = go.collects != 0;
  if (!collects_) {
    Close(fds_.outputs_write);
  }
  go_ns_ = MonotonicNanos();
  const StubGo message{bundle,       0, go.open_files, go.file_size_bytes, go.stack_bytes, go.memory_bytes,
                       go.cpu_millis};
  // Or the stub would wait for as long as the run may last.
  progress_.Must(Write(fds_.go_write, &message, sizeof message));
  let_go_ = true;
}

// A signal that arrives before the exec meets the stub, whose signals are all at their defaults, as the
// program's would be.
void Supervisor::OnSignal(const sandbox::SignalMessage& message) const {
  if (!main_ended_) {
    Syscall(__NR_kill, stub_, message.signal_number);
  }
}

void Supervisor::OnStubReports() {
  for (;;) {
    StubReport report{};
    const long got = Read(fds_.error_read, &report, sizeof report);
    if (got == static_cast<long>(sizeof report)) {
      OnStubReport(report);
      continue;
    }
    if (IsError(got) && got != -EAGAIN) {
      GiveUp(got);
    }
    if (got != -EAGAIN) {
      // End of file: the pipe closed on exec, or the stub is dead.
      Close(fds_.error_read);
      fds_.error_read = -1;
    }
    return;
  }
}

void Supervisor::OnStubReport(const StubReport& report) {
  if (report.word == StubWord::kDetached) {
    CloseInnerEnds();
  } else if (report.word == StubWord::kExecuting) {
    // The stub has read the bundle, so its word is only taken within what init saw itself.
    const int64_t now = MonotonicNanos();
    exec_ns_ = report.exec_ns < go_ns_ || report.exec_ns > now ? now : report.exec_ns;
  } else if (report.word == StubWord::kFailed) {
    const sandbox::FailedMessage message{sandbox::kControlMagic, sandbox::ControlType::kFailed,
                                         report.record};
    Write(fds_.control, &message, sizeof message);
    failed_ = true;
  }
}

// The stub has its own table now. As long as init held the inner ends, no reader would ever see an end of
// file. A terminal is another matter: the payload can open it again by name, but whoever has the master would
// take a moment in which nobody has it open for its end. It is not init's controlling one, so no signal comes
// of it.
void Supervisor::CloseInnerEnds() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fd != fds_.terminal) {
      Close(fd);
    }
  }
  if (!collects_) {
    Close(bundle_);
  }
  Close(fds_.error_write);
  Close(fds_.go_read);
  Close(fds_.go_write);
}

void Supervisor::OnNotification() {
  seccomp_notif request{};
  if (IsError(Syscall(__NR_ioctl, listener_, SECCOMP_IOCTL_NOTIF_RECV, Address(&request)))) {
    return;  // ENOENT: the caller died meanwhile.
  }
  const NotifiedCall call = DecodeCall(request.data);
  const bool learns = observed_.Count(call.number, call.args);
  if (answers_.IsCountedLock(call)) {
    return OnLockCall(request.id, call);
  }
  if (learns) {
    // SAFETY: memory that the caller's arguments point to may change before the kernel reads it, and no
    // answer of init's could help that. Nothing rests on one: the filter notifies of nothing but what is
    // below the ceiling, which it decides by registers (policy/learning.h).
    return Answer(request.id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
  }
  Refuse(call, request.id, answers_.Of(call));
}

void Supervisor::OnLockCall(uint64_t id, const NotifiedCall& call) {
  const bool of_open_file = call.command() == F_OFD_SETLK || call.command() == F_OFD_SETLKW;
  switch (locks_.Take(of_open_file, MonotonicNanos())) {
    case LockBudget::Answer::kGoOn:
      // SAFETY: whatever the caller's memory says by the time the kernel reads it, it is one call for a lock.
      return Answer(id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    case LockBudget::Answer::kRefuse:
      return Refuse(call, id, ENOLCK);
    case LockBudget::Answer::kAsk:
      break;
  }
  asked_ = {true, id, call};
  const sandbox::LockQuestionMessage question{sandbox::kControlMagic, sandbox::ControlType::kLockQuestion};
  Write(fds_.control, &question, sizeof question);
}

void Supervisor::OnLocksHeld(const sandbox::LocksHeldMessage& message) {
  asked_.waits = false;
  locks_.Held(message.held, MonotonicNanos());
  OnLockCall(asked_.id, asked_.call);
}

void Supervisor::Answer(uint64_t id, int error, uint32_t flags) const {
  seccomp_notif_resp response{};
  response.id = id;
  response.error = error;
  response.flags = flags;
  // ENOENT: the caller died meanwhile; there is nobody to answer.
  Syscall(__NR_ioctl, listener_, SECCOMP_IOCTL_NOTIF_SEND, Address(&response));
}

// Counts the refusal, and answers it or kills for it.
void Supervisor::Refuse(const NotifiedCall& call, uint64_t id, uint8_t answer) {
  const bool kills = answer == sandbox::kDenyAnswerKill;
  const DenialKind* first = denials_.Count(call.number, kills, call.args, MonotonicNanos());
  if (first != nullptr) {
    SendEvent(wire::EventType::kDenial, *first);
  }
  if (kills && violation_ < 0 && !main_ended_) {
    violation_ = call.number;
  }
  if (denials_.over_rate() && !denial_rate_hit_ && !main_ended_) {
    denial_rate_hit_ = true;
  }
  if (kills || denials_.over_rate()) {
    Syscall(__NR_kill, kAll, SIGKILL);
    return;
  }
  Answer(id, answer == 0 ? -EPERM : -static_cast<int>(answer), 0);
}

void Supervisor::OnChildren() {
  unsigned char drained[1024];  // A few signalfd_siginfo; their number does not matter, wait4 tells.
  Read(fds_.child_signals, drained, sizeof drained);
  for (;;) {
    int status = 0;
    const long pid = Syscall(__NR_wait4, kAll, Address(&status), WNOHANG, 0);
    if (IsError(pid) && pid != -ECHILD) {
      GiveUp(pid);  // The main process's end may be among those that are never told again.
    }
    if (pid <= 0) {
      break;
    }
    ReapOne(static_cast<int>(pid), status);
  }
  if (main_ended_) {
    Finish();
  }
}

void Supervisor::ReapOne(int pid, int status) {
  if (pid == stub_ && !main_ended_) {
    main_ended_ = true;
    main_status_ = status;
    exit_ns_ = MonotonicNanos();
  }
}

void Supervisor::Finish() {
  // A report may still sit in the pipe: a stub that failed wrote it before it died.
  if (fds_.error_read >= 0) {
    OnStubReports();
  }
  if (failed_) {
    ExitGroup(1);
  }
  // Whatever the payload left behind ends now; PID 1 may signal all of its namespace at once (kill(2), pid
  // -1), and no fork escapes a pending SIGKILL.
  Syscall(__NR_kill, kAll, SIGKILL);
  for (;;) {
    int status = 0;
    const long pid = Syscall(__NR_wait4, kAll, Address(&status), 0, 0);
    if (pid < 0 && pid != -EINTR) {
      break;  // ECHILD: nobody is left.
    }
  }
  if (fds_.terminal >= 0) {
    Close(fds_.terminal);
  }
  SendSummary();
  // Whoever reads the events sees their end with the last record, and waits for nothing that init does later.
  Close(fds_.events_write);

  rusage usage{};
  Syscall(__NR_getrusage, RUSAGE_CHILDREN, Address(&usage));
  sandbox::DoneMessage done{};
  done.magic = sandbox::kControlMagic;
  done.type = sandbox::ControlType::kDone;
  const int signal = main_status_ & 0x7f;
  const int core = main_status_ & 0x80;
  done.wait_code = signal == 0 ? kCldExited : (core != 0 ? kCldDumped : kCldKilled);
  done.wait_status = signal == 0 ? (main_status_ >> 8) & 0xff : signal;
  done.violation_syscall = violation_;
  done.denial_rate_hit = denial_rate_hit_ ? 1 : 0;
  done.denials = denials_.total();
  done.exec_ns = exec_ns_;
  done.exit_ns = exit_ns_;
  done.voluntary_switches = static_cast<uint64_t>(usage.ru_nvcsw);
  done.involuntary_switches = static_cast<uint64_t>(usage.ru_nivcsw);
  done.denials_in_last_second = denials_.in_window();
  Write(fds_.control, &done, sizeof done);
  if (collects_) {
    CollectOutputs(bundle_, fds_.outputs_write);
  }
  ExitGroup(0);
}

void Supervisor::SendSummary() {
  for (uint32_t i = 0; i < denials_.kinds(); ++i) {
    SendEvent(wire::EventType::kDenialSummary, denials_.kind(i));
  }
  if (denials_.other() != 0) {
    DenialKind other{};
    other.syscall_number = -1;
    other.count = denials_.other();
    SendEvent(wire::EventType::kOtherDenials, other);
  }
  for (uint32_t i = 0; i < observed_.kinds(); ++i) {
    SendObserved(wire::EventType::kObserved, observed_.kind(i));
  }
  if (observed_.other() != 0) {
    SendObserved(wire::EventType::kOtherObserved, {-1, observed_.other(), {}});
  }
}

void Supervisor::SendObserved(wire::EventType type, const ObservedKind& observed) const {
  DenialKind kind{};
  kind.syscall_number = observed.syscall_number;
  kind.count = observed.count;
  __builtin_memcpy(kind.args, observed.args, sizeof kind.args);
  SendEvent(type, kind);
}

void Supervisor::SendEvent(wire::EventType type, const DenialKind& kind) const {
  wire::Event event{};
  event.magic = wire::kEventMagic;
  event.type = type;
  event.syscall_number = kind.syscall_number;
  event.killed = kind.killed;
  event.count = kind.count;
  for (int i = 0; i < 6; ++i) {
    event.args[i] = kind.args[i];
  }
  // All events of a run fit into the pipe together (run_streams.h), so this never blocks and never drops.
  Write(fds_.events_write, &event, sizeof event);
}

}  // namespace caisson::init
