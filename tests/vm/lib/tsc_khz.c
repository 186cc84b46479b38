// Prints the rate of this host's time stamp counter in kHz. QEMU's emulation shows it to the guest as it is,
// but a guest whose CPUs wait for a busy host measures it wrongly by factors, and its clock then runs that
// much too fast. Run by tests/vm/run.sh as the user who tests.
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct Sample {
  uint64_t ticks;
  int64_t nanos;
};

static int64_t Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// The counter and the clock at as good as the same moment: of many tries the one that took shortest.
static struct Sample Take(void) {
  struct Sample best = {0, 0};
  int64_t shortest = INT64_MAX;
  for (int i = 0; i < 1000; ++i) {
    const int64_t before = Now();
    const uint64_t ticks = __rdtsc();
    const int64_t after = Now();
    if (after - before < shortest) {
      shortest = after - before;
      best.ticks = ticks;
      best.nanos = before + (after - before) / 2;
    }
  }
  return best;
}

int main(void) {
  const struct Sample first = Take();
  const struct timespec pause = {0, 200000000};
  nanosleep(&pause, NULL);
  const struct Sample second = Take();
  printf("%.0f\n", (double)(second.ticks - first.ticks) * 1e6 / (double)(second.nanos - first.nanos));
  return 0;
}
