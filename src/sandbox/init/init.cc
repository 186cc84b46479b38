// caisson-init: PID 1 of a sandbox. Theory of operation:
//
//   caissond ──clone3, execveat──▶ init as real root, in new pid, network, ipc and uts namespaces
//     takes a copy of its plan's root, in which it mounts what is the run's own ─▶ enters the prepared user
//     namespace (now it owns nothing of the host) ─▶ makes the pipes, or a terminal, under its own uid ─▶
//     clones the stub, which shares its descriptor table ─▶ locks itself ─▶ hands the pipes' outer ends to
//     caissond with `ready` ─▶ waits
//   caissond ──go──▶ init ──go──▶ stub, which detaches, unpacks the bundle and execs the payload
//   init answers refused calls, reaps; when the main process ends it kills and reaps the rest, reports,
//   exits.
//
// Before the first run of a plan the same program, asked by kTemplate, builds that root and ends.
//
// Untrusted input: none before its locks are complete; afterwards the notifications of a hostile payload.
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>

#include "sandbox/init/build_root.h"
#include "sandbox/init/lock.h"
#include "sandbox/init/loopback.h"
#include "sandbox/init/packet.h"
#include "sandbox/init/precedence.h"
#include "sandbox/init/streams.h"
#include "sandbox/init/stub.h"
#include "sandbox/init/supervise.h"
#include "sandbox/init/text.h"
#include "sandbox/layers.h"

namespace caisson::init {
namespace {

using sandbox::SetupStage;

sandbox::SetupMessage ReadSetup(const Progress& progress) {
  sandbox::SetupMessage setup{};
  int no_fd = -1;
  const long got = ReceivePacket(sandbox::kFdControl, &setup, sizeof setup, no_fd);
  if (got != static_cast<long>(sizeof setup) || setup.magic != sandbox::kControlMagic ||
      (setup.type != sandbox::ControlType::kSetup && setup.type != sandbox::ControlType::kTemplate)) {
    progress.Fail(IsError(got) ? got : -EPROTO);
  }
  return setup;
}

PlanReader MapPlan(const Progress& progress) {
  const long size = progress.Must(Syscall(__NR_lseek, sandbox::kFdPlan, 0, 2 /* SEEK_END */));
  const long bytes = progress.Must(Syscall(__NR_mmap, 0, size, PROT_READ, MAP_PRIVATE, sandbox::kFdPlan, 0));
  const PlanReader plan(reinterpret_cast<const unsigned char*>(bytes), static_cast<size_t>(size));
  if (!plan.valid()) {
    progress.Fail(-EBADMSG);
  }
  return plan;
}

// Dies with caissond. The signal is forgotten at every change of ids (prctl(2)), so this is called again
// after the last one; a parent that died before the call is seen as the end of the control socket.
void DieWithParent(Progress& progress) {
  progress.Enter(SetupStage::kParentDeath);
  progress.Must(Prctl(PR_SET_PDEATHSIG, SIGKILL));
  pollfd control{sandbox::kFdControl, POLLIN, 0};
  const int64_t no_wait[2] = {0, 0};
  if (Syscall(__NR_ppoll, Address(&control), 1, Address(no_wait), 0, 0) == 1 &&
      (control.revents & POLLHUP) != 0) {
    ExitGroup(0);
  }
}

void JoinCgroups(const sandbox::SetupMessage& setup, Progress& progress) {
  progress.Enter(SetupStage::kJoinCgroup);
  for (uint32_t i = 0; i < setup.init_cgroup_fds; ++i) {
    const int fd = sandbox::kFdFirstCgroup + static_cast<int>(i);
    progress.Must(Write(fd, "0", 1));
    Close(fd);
    progress.NextIndex();
  }
  if (layers::kCgroupNamespace) {
    progress.Enter(SetupStage::kCgroupNamespace);
    progress.Must(Syscall(__NR_unshare, CLONE_NEWCGROUP));
  }
}

void SetHostName(PlanReader plan, Progress& progress) {
  progress.Enter(SetupStage::kHostName);
  PlanItem item{};
  plan.Rewind();
  while (layers::kUtsNamespace && plan.Next(item)) {
    if (item.type == sandbox::PlanRecord::kHostName) {
      progress.Must(Syscall(__NR_sethostname, Address(item.path), static_cast<long>(Length(item.path))));
    }
  }
}

// Whoever started caissond may have ignored signals; an ignored one would stay ignored through every exec,
// the payload's included. SIGKILL and SIGSTOP refuse, which is fine.
void ResetSignals() {
  struct {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
  } const default_action{};
  for (long signal = 1; signal <= 64; ++signal) {
    Syscall(__NR_rt_sigaction, signal, Address(&default_action), 0, sizeof default_action.mask);
  }
}

struct Ids {
  uint32_t init;
  uint32_t payload;
};

// As the run's own user namespace maps them. Without one, in a mutation build, the host's: no run may ever
// have those of somebody real.
Ids OwnIds(const sandbox::SetupMessage& setup) {
  return layers::kUserNamespace ? Ids{sandbox::kInitUid, sandbox::kPayloadUid}
                                : Ids{setup.payload_host_uid - 1, setup.payload_host_uid};
}

// ORDER: the groups as real root, since the map denies setgroups; then the namespace, which takes every power
// over the host and over the mounts, all of which belong to the initial namespace; then ids that exist in it.
void EnterUserNamespace(const Ids& ids, Progress& progress) {
  progress.Enter(SetupStage::kSetGroups);
  progress.Must(Syscall(__NR_setgroups, 0, 0));
  if (layers::kUserNamespace) {
    progress.Enter(SetupStage::kEnterUserNamespace);
    progress.Must(Syscall(__NR_setns, sandbox::kFdUserNs, CLONE_NEWUSER));
  }
  Close(sandbox::kFdUserNs);
  progress.Enter(SetupStage::kInitIds);
  progress.Must(Prctl(PR_SET_KEEPCAPS, 1));
  TakeIds(ids.init, progress);
  SetCapabilities(kCapSetuid | kCapSetgid | kCapSetpcap | kCapKill | kCapDacReadSearch |
                      (layers::kCapabilityDrop ? 0 : ~0ULL >> 23U) | (layers::kNoNewPrivs ? 0 : kCapSysAdmin),
                  progress);
  progress.Must(Prctl(PR_SET_DUMPABLE, 0));
}

int BlockAndWatchChildren(const Progress& progress) {
  const uint64_t mask = 1ULL << static_cast<unsigned>(SIGCHLD - 1);
  progress.Must(Syscall(__NR_rt_sigprocmask, SIG_BLOCK, Address(&mask), 0, sizeof mask));
  constexpr long kFlags = O_CLOEXEC | O_NONBLOCK;  // SFD_CLOEXEC | SFD_NONBLOCK are the same values
  return static_cast<int>(progress.Must(Syscall(__NR_signalfd4, -1, Address(&mask), sizeof mask, kFlags)));
}

// The stub shares the descriptor table (the notification listener must appear here) but no memory: it will
// read hostile bytes one day.
int CloneStub(const PlanReader& plan, const Descriptors& fds, const sandbox::SetupMessage& setup,
              uint32_t uid, Progress& progress) {
  progress.Enter(SetupStage::kCloneStub);
  const long pid = progress.Must(Syscall(__NR_clone, CLONE_FILES | SIGCHLD));
  if (pid == 0) {
    RunStub(plan,
            {fds.go_read, fds.error_write, sandbox::kFdFirstCgroup + static_cast<int>(setup.init_cgroup_fds),
             setup.payload_cgroup_fds, uid, setup.tty != 0});
  }
  return static_cast<int>(pid);
}

// The stub, which inherits it, needs no walk over all capabilities of its own. Only the build whose stub
// keeps them all must wait until it has.
void EmptyBoundingSetOfBoth(bool stub_exists, Progress& progress) {
  if (stub_exists != layers::kCapabilityDrop) {
    progress.Enter(SetupStage::kBounding);
    EmptyBoundingSet(progress);
  }
}

void LockInit(const PlanReader& plan, Progress& progress) {
  progress.Enter(SetupStage::kInitLock);
  LockSecurebits(progress);
  SetCapabilities(kCapKill | kCapDacReadSearch, progress);
  SetNoNewPrivs(progress);
  RestrictByLandlock(plan, LandlockRules::kReadBox, progress);
}

// Hands the outer ends out and closes everything only the set-up needed. The stub is locked and blocked, so
// the table that both still share is quiet.
void ReportReady(const StubReport& stub, const OuterEnds& outer, const sandbox::SetupMessage& setup,
                 Progress& progress) {
  const sandbox::ReadyMessage ready{sandbox::kControlMagic, sandbox::ControlType::kReady,
                                    stub.landlock_probe_errno, stub.landlock_control_errno};
  progress.Enter(SetupStage::kInitProtocol);
  progress.Must(SendPacket(sandbox::kFdControl, &ready, sizeof ready, outer.fds, 5));
  for (const int fd : outer.fds) {
    Close(fd);
  }
  for (uint32_t i = 0; i < setup.payload_cgroup_fds; ++i) {
    Close(sandbox::kFdFirstCgroup + static_cast<int>(setup.init_cgroup_fds + i));
  }
  Close(sandbox::kFdPlan);
}

// Nothing of a run is here: no cgroup, no user namespace, no client's byte to come. A descriptor of the mount
// namespace keeps it when this has ended.
[[noreturn]] void ServeTemplate(const PlanReader& plan, const sandbox::SetupMessage& setup,
                                Progress& progress) {
  BuildTemplate(plan, setup, progress);
  const sandbox::TemplateStandsMessage stands{sandbox::kControlMagic, sandbox::ControlType::kTemplateStands};
  progress.Enter(SetupStage::kInitProtocol);
  progress.Must(Write(sandbox::kFdControl, &stands, sizeof stands));
  char end = 0;
  Read(sandbox::kFdControl, &end, sizeof end);
  ExitGroup(0);
}

}  // namespace

[[noreturn]] void Main() {
  Progress progress(Progress::Side::kInit, sandbox::kFdControl);
  DieWithParent(progress);
  progress.Enter(SetupStage::kReadPlan);
  const sandbox::SetupMessage setup = ReadSetup(progress);
  const PlanReader plan = MapPlan(progress);
  if (setup.type == sandbox::ControlType::kTemplate) {
    ServeTemplate(plan, setup, progress);
  }
  ResetSignals();
  GiveUpPrecedence(progress);
  JoinCgroups(setup, progress);
  RaiseLoopback(plan, progress);
  EnterRoot(plan, setup, progress);
  SetHostName(plan, progress);
  const Ids ids = OwnIds(setup);
  EnterUserNamespace(ids, progress);
  DieWithParent(progress);

  Descriptors fds{};
  fds.control = sandbox::kFdControl;
  const OuterEnds outer = MakeStreams(setup.tty != 0, fds, progress);
  fds.child_signals = BlockAndWatchChildren(progress);
  EmptyBoundingSetOfBoth(false, progress);
  const int stub = CloneStub(plan, fds, setup, ids.payload, progress);
  EmptyBoundingSetOfBoth(true, progress);
  Supervisor supervisor(plan, fds, stub, progress);
  LockInit(plan, progress);
  const StubReport ready = supervisor.AwaitReady();
  LoadInitFilter(progress);
  ReportReady(ready, outer, setup, progress);
  supervisor.Run(ready.listener);
}

}  // namespace caisson::init
