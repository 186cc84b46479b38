/* IPC-15: files that tell about the machine. */
#include "payload.h"

int main(void) {
  TRY("loadavg", open("/proc/loadavg", O_RDONLY));
  TRY("meminfo", open("/proc/meminfo", O_RDONLY));
  TRY("stat", open("/proc/stat", O_RDONLY));
  TRY("uptime", open("/proc/uptime", O_RDONLY));
  TRY("pressure", open("/proc/pressure/cpu", O_RDONLY));
  TRY("vmstat", open("/proc/vmstat", O_RDONLY));
  TRY("interrupts", open("/proc/interrupts", O_RDONLY));
  TRY("schedstat", open("/proc/schedstat", O_RDONLY));
  TRY("diskstats", open("/proc/diskstats", O_RDONLY));
  return 0;
}
