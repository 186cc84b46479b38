/* SYS-04: performance counters. */
#include <linux/perf_event.h>

#include "payload.h"

int main(void) {
  struct perf_event_attr attributes = {
      .type = PERF_TYPE_HARDWARE, .size = sizeof attributes, .config = PERF_COUNT_HW_INSTRUCTIONS};
  TRY("counter", syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  TRY("exclude_kernel", syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  TRY("other_cpu", syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0));
  return 0;
}
