/* PRV-09: better scheduling than others get. */
#include "payload.h"

struct sched_attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

int main(void) {
  TRY("nice", setpriority(PRIO_PROCESS, 0, -5));
  struct sched_param fifo = {.sched_priority = 50};
  TRY("fifo", syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &fifo));
  struct sched_attributes deadline = {sizeof deadline, 6, 0, 0, 0, 10000000, 30000000, 30000000};
  TRY("deadline", syscall(SYS_sched_setattr, 0, &deadline, 0));
  TRY("ioprio", syscall(SYS_ioprio_set, 1, 0, 1 << 13));
  struct sched_param none = {.sched_priority = 0};
  TRY("idle", syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &none));
  TRY("nice_down", setpriority(PRIO_PROCESS, 0, 19));
  return 0;
}
