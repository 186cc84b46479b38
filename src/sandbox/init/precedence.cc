// Runs as PID 1 of the new namespaces, as real root, before it is in the run's cgroups. No input. The stub,
// and with it the payload, inherits what stands here.
#include "sandbox/init/precedence.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/ioprio.h>
#include <linux/resource.h>
#include <linux/sched.h>

namespace caisson::init {
namespace {

// OOM_SCORE_ADJ_MAX. Raising it needs no capability; the payload could not lower it again: its /proc is
// read-only.
constexpr char kFirstToGo[] = "1000";

// A quota of CPU time does not hold for real-time tasks.
void LeaveRealTime(const Progress& progress) {
  const long policy = progress.Must(Syscall(__NR_sched_getscheduler, 0));
  if (policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE) {
    const int32_t priority = 0;
    progress.Must(Syscall(__NR_sched_setscheduler, 0, SCHED_NORMAL, Address(&priority)));
  }
}

void LeaveNegativeNiceness(const Progress& progress) {
  // The system call, unlike the library's function, answers 20 - niceness (getpriority(2), "C library/kernel
  // differences").
  constexpr long kNeutral = 20;
  if (progress.Must(Syscall(__NR_getpriority, PRIO_PROCESS, 0)) > kNeutral) {
    progress.Must(Syscall(__NR_setpriority, PRIO_PROCESS, 0, 0));
  }
}

// Within the class "best effort" a level can go before others' as well.
void LeaveInputOutputClass(const Progress& progress) {
  const long priority = Syscall(__NR_ioprio_get, IOPRIO_WHO_PROCESS, 0);
  if (priority == -ENOSYS) {
    return;  // a kernel without block devices has no such classes
  }
  if (IOPRIO_PRIO_CLASS(static_cast<unsigned long>(progress.Must(priority))) != IOPRIO_CLASS_IDLE) {
    progress.Must(Syscall(__NR_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0));
  }
}

void BeTheFirstToGo(const Progress& progress) {
  const long fd =
      progress.Must(Syscall(__NR_open, Address("/proc/self/oom_score_adj"), O_WRONLY | O_CLOEXEC));
  progress.Must(Write(static_cast<int>(fd), kFirstToGo, sizeof kFirstToGo - 1));
  Close(static_cast<int>(fd));
}

}  // namespace

void GiveUpPrecedence(Progress& progress) {
  progress.Enter(sandbox::SetupStage::kPrecedence);
  LeaveRealTime(progress);
  progress.NextIndex();
  LeaveNegativeNiceness(progress);
  progress.NextIndex();
  LeaveInputOutputClass(progress);
  progress.NextIndex();
  BeTheFirstToGo(progress);
}

}  // namespace caisson::init
