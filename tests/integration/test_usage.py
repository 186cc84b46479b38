"""What a result says was used, against native programs that use known amounts. Tolerances are those of docs/specification.md."""

import pytest

from support.environment import scaled
from support.native import compile_c

MIB = 1 << 20
SPARE = 4 * MIB  # what the kernel and the C library need beside what a program asks for
LONG = {"wall_time_ms": 120_000, "cpu_time_ms": 60_000}

# Holds argv[1] MiB of its own memory and argv[2] MiB in a file, as long again as it took to get there, and a bit.
HOLD = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
int main(int argc, char** argv) {
  double start = now();
  size_t own = (size_t)atoi(argv[1]) << 20, file = (size_t)atoi(argv[2]) << 20;
  char* memory = malloc(own);
  memset(memory, 1, own);
  int fd = open("/box/filled", O_RDWR | O_CREAT, 0600);
  for (size_t done = 0; done < file; done += 1 << 20) write(fd, memory, 1 << 20);
  double hold = 2 * (now() - start) + 0.5;
  struct timespec pause = {(time_t)hold, (long)((hold - (time_t)hold) * 1e9)};
  nanosleep(&pause, NULL);
  printf("%d\n", memory[own - 1]);
  return 0;
}
"""

BURN = r"""
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
static long ms(struct timeval t) { return t.tv_sec * 1000 + t.tv_usec / 1000; }
int main(void) {
  struct rusage used;
  do {
    for (volatile int i = 0; i < 2000000; ++i) {}
    getrusage(RUSAGE_SELF, &used);
  } while (ms(used.ru_utime) < 300);
  do {
    for (int i = 0; i < 2000; ++i) { int ends[2]; if (pipe(ends) == 0) { close(ends[0]); close(ends[1]); } }
    getrusage(RUSAGE_SELF, &used);
  } while (ms(used.ru_stime) < 200);
  printf("%ld %ld\n", ms(used.ru_utime), ms(used.ru_stime));
  return 0;
}
"""

SLEEP_OFTEN = r"""
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
int main(void) {
  struct timespec moment = {0, 5000000};  // so long that no machine is past it before it sleeps
  for (int i = 0; i < 100; ++i) nanosleep(&moment, 0);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("%ld\n", usage.ru_nvcsw);
  return 0;
}
"""

FORK = r"""
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  int ends[2], made = 0, refused = 0;
  pipe(ends);
  for (int i = 0; i < 10; ++i) {
    pid_t child = fork();
    if (child == 0) { char byte; close(ends[1]); read(ends[0], &byte, 1); _exit(0); }
    if (child > 0) ++made; else ++refused;
  }
  close(ends[1]);
  while (wait(NULL) > 0) {}
  printf("%d %d\n", made, refused);
  return 0;
}
"""


def test_memory_peak_is_what_was_touched(client):
    outcome = client.execute(compile_c(HOLD), "native", args=["64", "0"], limits=LONG)
    assert outcome.stdout == b"1\n"
    assert 64 * MIB <= outcome.result.usage.memory_peak_bytes <= 64 * MIB + SPARE


def test_memory_is_told_apart_in_its_own_and_files(client):
    usage = client.execute(compile_c(HOLD), "native", args=["48", "24"], limits=LONG).result.usage
    assert 47 * MIB <= usage.memory_anonymous_bytes <= 48 * MIB + SPARE
    assert 23 * MIB <= usage.memory_file_bytes <= 24 * MIB + SPARE
    assert usage.memory_anonymous_bytes + usage.memory_file_bytes <= usage.memory_peak_bytes + MIB


def test_run_ended_at_its_wall_limit_says_what_it_held(client):
    source = "import time\nheld = bytearray(40 << 20)\nheld[::4096] = b'x' * len(held[::4096])\ntime.sleep(600)"
    outcome = client.execute(source, limits={"wall_time_ms": int(scaled(1500))})
    assert outcome.verdict() == "WALL_TIME_LIMIT"
    assert 40 * MIB <= outcome.result.usage.memory_anonymous_bytes <= 60 * MIB


def test_program_that_is_too_quick_has_no_sample_or_a_true_one(client):
    usage = client.execute(compile_c("int main(void) { return 0; }"), "native").result.usage
    assert usage.HasField("memory_anonymous_bytes") == usage.HasField("memory_file_bytes")
    if usage.HasField("memory_anonymous_bytes"):
        assert 0 < usage.memory_anonymous_bytes + usage.memory_file_bytes < SPARE


@pytest.mark.serial
def test_cpu_time_is_the_programs_own_count(client):
    outcome = client.execute(compile_c(BURN), "native", limits=LONG)
    user, system = map(int, outcome.stdout.split())
    usage = outcome.result.usage
    # The kernel scales user and system of a process to its precise total, of a cgroup likewise: the sum is exact, the parts
    # are not.
    assert abs(usage.cpu_user_ms + usage.cpu_system_ms - user - system) <= 20 + (user + system) // 20
    assert abs(usage.cpu_user_ms - user) <= 20 + user // 5
    assert abs(usage.cpu_system_ms - system) <= 20 + system // 2


def test_sleeps_are_voluntary_context_switches(client):
    outcome = client.execute(compile_c(SLEEP_OFTEN), "native", limits=LONG)
    # A host that is itself a virtual machine may wait for pages too, so the program's own count is what to compare with.
    own = int(outcome.stdout)
    assert own >= 100
    assert own <= outcome.result.usage.voluntary_context_switches <= own + 20


def test_processes_are_counted_and_refused_ones_too(client):
    outcome = client.execute(compile_c(FORK), "native", limits={"pids": 5})
    assert outcome.stdout == b"4 6\n"
    assert outcome.result.usage.forks_denied == 6
    if outcome.result.usage.HasField("pids_peak"):  # Linux 6.8
        assert outcome.result.usage.pids_peak == 5


def test_memory_kills_are_counted(client):
    outcome = client.execute(compile_c(HOLD), "native", args=["64", "0"], limits={**LONG, "memory_bytes": 32 * MIB})
    assert outcome.verdict() == "MEMORY_LIMIT"
    assert outcome.result.usage.oom_kills >= 1
    assert 31 * MIB <= outcome.result.usage.memory_peak_bytes <= 32 * MIB


def test_dropped_output_is_counted(client):
    source = compile_c("#include <unistd.h>\nstatic char data[1 << 16];\n"
                       "int main(void) { for (int i = 0; i < 48; ++i) write(1, data, sizeof data); return 0; }")
    outcome = client.execute(source, "native", limits={"output_bytes": MIB})
    count = outcome.result.stdout
    assert (count.bytes, count.delivered_bytes, count.truncated) == (3 * MIB, MIB, True)
    assert len(outcome.stdout) == MIB
