"""Every way a run can end: verdict, who decided, the limit's name and value, and what was observed."""

import pytest

from support.client import Client
from support import processes
from support.environment import scaled
from support.native import compile_c

MIB = 1024 * 1024

FORK_BOMB = r"""
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
  int made = 0, refused = 0;
  for (int i = 0; i < 200; ++i) {
    pid_t pid = fork();
    if (pid == 0) { for (;;) pause(); }
    if (pid > 0) ++made; else if (errno == EAGAIN) ++refused;
  }
  printf("%d %d\n", made, refused);
  return 0;
}
"""

ENDLESS_FORK_BOMB = r"""
#include <unistd.h>
int main(void) { for (;;) fork(); }
"""

CHILD_OUT_OF_MEMORY = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  pid_t pid = fork();
  if (pid == 0) {
    for (;;) { char* p = malloc(1 << 20); if (p) memset(p, 1, 1 << 20); }
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return 0;
}
"""


def actor(client, outcome):
    return client.api.run.Actor.Name(outcome.result.ended_by)


def cpu_ms(outcome):
    return outcome.result.usage.cpu_user_ms + outcome.result.usage.cpu_system_ms


def assert_oom_counted(outcome):
    assert outcome.result.usage.oom_kills >= 1


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_exit_code_is_the_programs_own(client, code):
    outcome = client.execute(f"raise SystemExit({code})")
    assert outcome.verdict() == "COMPLETED"
    assert outcome.result.exit_code == code
    assert not outcome.result.HasField("signal") and not outcome.result.HasField("limit")
    assert actor(client, outcome) == "PROGRAM"


@pytest.mark.parametrize("program, reason", [
    (b"garbage", "Exec format error"),
    (b"", "Exec format error"),
    (b"\x7fELF" + bytes(100), "Exec format error"),
    (b"#!/no/such/interpreter\nx", "No such file or directory"),
    (b"#!/usr\nx", "Permission denied"),
])
def test_file_that_the_kernel_cannot_execute_is_the_clients_fault(client, program, reason):
    outcome = client.execute(program, "native")
    assert (outcome.verdict(), actor(client, outcome)) == ("SANDBOX_SETUP_FAILED", "CLIENT")
    assert outcome.result.message.startswith(f"The kernel could not execute the main file: {reason}")
    assert not outcome.result.HasField("exit_code") and not outcome.result.usage.HasField("wall_time_ms")


def test_arguments_that_the_kernel_finds_too_large_are_the_clients_fault(client):
    outcome = client.execute("pass", args=["x" * 100_000], env={"E": "x" * 100_000}, limits={"stack_bytes": 262_144})
    assert (outcome.verdict(), actor(client, outcome)) == ("SANDBOX_SETUP_FAILED", "CLIENT")
    assert "arguments and environment are too large" in outcome.result.message


@pytest.mark.serial
def test_endless_loop_ends_at_its_cpu_limit(client):
    outcome = client.execute("while True: pass", limits={"cpu_time_ms": 1000})
    assert outcome.verdict() == "CPU_TIME_LIMIT"
    limit = outcome.result.limit
    assert (limit.name, limit.limit) == ("cpu_time_ms", 1000)
    assert 1000 <= limit.observed <= 1000 + scaled(100)
    assert 1000 <= cpu_ms(outcome) + 2 and cpu_ms(outcome) <= 1000 + scaled(100)
    assert actor(client, outcome) == "SUPERVISOR"


@pytest.mark.serial
def test_cpu_time_of_all_processes_counts(client):
    source = "import os\nfor _ in range(3): os.fork()\nwhile True: pass"
    outcome = client.execute(source, limits={"cpu_time_ms": 1000, "cpu_millis": 1000})
    assert outcome.verdict() == "CPU_TIME_LIMIT"
    assert 998 <= cpu_ms(outcome) <= 1000 + scaled(100)


@pytest.fixture(scope="module")
def sleeper(daemon):
    """A program that sleeps beyond its wall limit of a second."""
    connection = Client(daemon.address)
    yield connection.execute("import time; time.sleep(60)", limits={"wall_time_ms": 1000})
    connection.close()


@pytest.mark.serial
def test_sleeping_program_ends_at_its_wall_limit(client, sleeper):
    assert sleeper.verdict() == "WALL_TIME_LIMIT"
    limit = sleeper.result.limit
    assert (limit.name, limit.limit) == ("wall_time_ms", 1000)
    assert 1000 <= limit.observed <= 1000 + scaled(100)
    assert 950 <= sleeper.result.usage.wall_time_ms <= 1000 + scaled(100)
    assert actor(client, sleeper) == "SUPERVISOR"


@pytest.mark.serial
def test_wall_limit_holds_as_seen_by_the_client(sleeper):
    started = next(at for event, at in zip(sleeper.events, sleeper.times) if event.WhichOneof("event") == "started")
    assert 0.9 < sleeper.times[-1] - started < 1 + scaled(0.25)


@pytest.mark.serial
def test_program_that_stops_itself_ends_at_its_wall_limit(client):
    outcome = client.execute("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", limits={"wall_time_ms": 500})
    assert outcome.verdict() == "WALL_TIME_LIMIT"
    assert 500 <= outcome.result.limit.observed <= 500 + scaled(100)


def test_program_that_ignores_every_signal_ends_at_its_wall_limit(client):
    source = ("import signal, time\nfor n in range(1, 65):\n  try: signal.signal(n, signal.SIG_IGN)\n"
              "  except (OSError, ValueError): pass\nwhile True: time.sleep(1)")
    assert client.execute(source, limits={"wall_time_ms": 500}).verdict() == "WALL_TIME_LIMIT"


def test_ten_gigabytes_end_at_the_memory_limit(client):
    outcome = client.execute("held = bytearray(10 * 1024**3)\nprint('unreachable')", limits={"memory_bytes": 64 * MIB})
    assert outcome.verdict() == "MEMORY_LIMIT"
    limit = outcome.result.limit
    assert (limit.name, limit.limit) == ("memory_bytes", 64 * MIB)
    assert 0.9 * 64 * MIB <= limit.observed <= 65 * MIB
    assert_oom_counted(outcome)
    assert outcome.stdout == b""
    assert actor(client, outcome) == "KERNEL"


def test_memory_touched_page_by_page_ends_at_the_limit(client):
    source = "held = []\nwhile True: held.append(b'x' * 1_000_000)"
    assert client.execute(source, limits={"memory_bytes": 64 * MIB}).verdict() == "MEMORY_LIMIT"


def test_files_in_the_work_directory_count_as_memory(client):
    source = "f = open('/box/big', 'wb')\nwhile True: f.write(b'x' * 1_000_000)"
    outcome = client.execute(source, limits={"memory_bytes": 64 * MIB, "disk_bytes": 1024 * MIB})
    assert outcome.verdict() == "MEMORY_LIMIT"


def test_oom_of_a_child_counts_though_the_parent_exits_0(client):
    outcome = client.execute(compile_c(CHILD_OUT_OF_MEMORY), "native", limits={"memory_bytes": 32 * MIB})
    assert outcome.verdict() == "MEMORY_LIMIT"
    assert_oom_counted(outcome)


def test_fork_bomb_is_contained_and_counted(client):
    outcome = client.execute(compile_c(FORK_BOMB), "native", limits={"pids": 32})
    assert outcome.verdict() == "COMPLETED"
    made, refused = map(int, outcome.stdout.split())
    assert made == 31 and refused == 169
    assert outcome.result.usage.forks_denied >= 1
    assert not outcome.result.usage.HasField("pids_peak") or outcome.result.usage.pids_peak <= 32


def test_endless_fork_bomb_ends_at_a_time_limit(client, daemon):
    outcome = client.execute(compile_c(ENDLESS_FORK_BOMB), "native",
                             limits={"pids": 64, "wall_time_ms": 1000, "cpu_time_ms": 60_000})
    assert outcome.verdict() == "WALL_TIME_LIMIT"
    assert outcome.result.usage.forks_denied > 0
    assert daemon.runs_are_gone()


def test_flood_is_cut_and_counted(client):
    outcome = client.execute("import os\nfor _ in range(100): os.write(1, b'y\\n' * 5000)",
                             limits={"output_bytes": 100_000})
    assert outcome.verdict() == "COMPLETED"
    assert len(outcome.stdout) == 100_000
    count = outcome.result.stdout
    assert (count.bytes, count.delivered_bytes, count.truncated) == (1_000_000, 100_000, True)
    assert not outcome.result.stderr.truncated


def test_endless_flood_ends_at_a_time_limit_and_is_cut(client):
    outcome = client.execute("import os\nwhile True: os.write(1, b'y\\n' * 5000)",
                             limits={"output_bytes": 100_000, "wall_time_ms": 1000})
    assert outcome.verdict() == "WALL_TIME_LIMIT"
    assert len(outcome.stdout) == 100_000
    assert outcome.result.stdout.truncated


@pytest.mark.parametrize("stream", [1, 2])
def test_flood_ends_the_run_where_the_client_says_kill(client, stream):
    outcome = client.execute(f"import os\nwhile True: os.write({stream}, b'y' * 5000)", limits={"output_bytes": 100_000},
                             output_overflow=client.api.run.OUTPUT_OVERFLOW_KILL)
    assert outcome.verdict() == "OUTPUT_LIMIT"
    limit = outcome.result.limit
    assert (limit.name, limit.limit) == ("output_bytes", 100_000)
    assert limit.observed > 100_000
    assert len(outcome.stream(stream)) == 100_000


def test_output_of_exactly_the_limit_is_not_over_it(client):
    outcome = client.execute("import os; os.write(1, b'y' * 50_000)", limits={"output_bytes": 50_000},
                             output_overflow=client.api.run.OUTPUT_OVERFLOW_KILL)
    assert outcome.verdict() == "COMPLETED"
    assert not outcome.result.stdout.truncated


def test_full_disk_is_an_error_inside_and_no_verdict(client):
    source = """
import errno
written = 0
try:
    with open("/box/big", "wb", buffering=0) as f:
        while True:
            written += f.write(b"x" * 65536)
except OSError as error:
    print(errno.errorcode[error.errno], written)
"""
    outcome = client.execute(source, limits={"disk_bytes": 8 * MIB})
    assert outcome.verdict() == "COMPLETED"
    name, written = outcome.stdout.split()
    assert name == b"ENOSPC"
    assert 7 * MIB < int(written) <= 8 * MIB


def test_work_directories_share_one_disk_limit(client):
    source = """
import errno
for path in ("/box/a", "/tmp/b", "/dev/shm/c"):
    try:
        with open(path, "wb", buffering=0) as f:
            for _ in range(3 * 16):
                f.write(b"x" * 65536)
        print("written")
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
    outcome = client.execute(source, limits={"disk_bytes": 8 * MIB})
    assert outcome.stdout.split() == [b"written", b"written", b"ENOSPC"]


def test_inode_limit_is_an_error_inside(client):
    source = """
import errno
made = 0
try:
    while True:
        open(f"/box/{made}", "w").close()
        made += 1
except OSError as error:
    print(errno.errorcode[error.errno], made)
"""
    outcome = client.execute(source, limits={"inode_count": 100})
    name, made = outcome.stdout.split()
    assert name == b"ENOSPC"
    assert 80 <= int(made) <= 100


def test_kill_9_of_itself_is_a_signal(client):
    outcome = client.execute("import os; os.kill(os.getpid(), 9)")
    assert outcome.verdict() == "SIGNALED"
    assert outcome.result.signal == 9
    assert not outcome.result.HasField("exit_code")
    assert actor(client, outcome) in ("PROGRAM", "KERNEL")


@pytest.mark.parametrize("number", [6, 11, 15])
def test_other_signals_are_named_too(client, number):
    outcome = client.execute(f"import os, signal; signal.signal({number}, signal.SIG_DFL); os.kill(os.getpid(), {number})")
    assert (outcome.verdict(), outcome.result.signal) == ("SIGNALED", number)


def test_open_files_limit_is_emfile_inside(client):
    source = """
import errno, os
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(errno.errorcode[error.errno], len(held))
"""
    name, count = client.execute(source, limits={"open_files": 50}).stdout.split()
    assert name == b"EMFILE"
    assert 40 <= int(count) <= 47


def test_file_size_limit_is_efbig_or_sigxfsz(client):
    source = "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_DFL)\nf = open('/box/f', 'wb', buffering=0)\nwhile True: f.write(b'x' * 65536)"
    outcome = client.execute(source, limits={"file_size_bytes": MIB})
    assert (outcome.verdict(), outcome.result.signal) == ("SIGNALED", 25)
    ignoring = "import errno\nf = open('/box/f', 'wb', buffering=0)\ntry:\n  while True: f.write(b'x' * 65536)\nexcept OSError as e: print(errno.errorcode[e.errno])"
    assert client.execute(ignoring, limits={"file_size_bytes": MIB}).stdout == b"EFBIG\n"


def test_stack_limit_ends_deep_recursion(client):
    source = compile_c("int f(volatile char* p) { volatile char a[4096]; a[0] = *p; return f(a) + a[0]; }\n"
                       "int main(void) { volatile char c = 1; return f(&c); }")
    outcome = client.execute(source, "native", limits={"stack_bytes": MIB})
    assert (outcome.verdict(), outcome.result.signal) == ("SIGNALED", 11)


def test_stack_limit_is_what_the_client_asked_for(client):
    source = "import resource; print(resource.getrlimit(resource.RLIMIT_STACK)[0], resource.getrlimit(resource.RLIMIT_CORE))"
    assert client.execute(source, limits={"stack_bytes": 2 * MIB}).stdout == b"2097152 (0, 0)\n"


@pytest.mark.serial
def test_cpu_millis_slows_the_program(client):
    outcome = client.execute("while True: pass", limits={"cpu_millis": 200, "wall_time_ms": 1000, "cpu_time_ms": 60_000})
    assert outcome.verdict() == "WALL_TIME_LIMIT"
    assert cpu_ms(outcome) < 1000 * 0.2 * 1.5 + scaled(50)


def test_program_that_cannot_be_executed_does_not_look_like_a_success(client):
    outcome = client.execute(b"this is no ELF", "native")
    assert outcome.verdict() in ("SANDBOX_SETUP_FAILED", "COMPLETED")
    assert outcome.verdict() == "SANDBOX_SETUP_FAILED" or outcome.result.exit_code in (126, 127)
    assert outcome.stdout == b""


def test_usage_and_timings_are_filled(client):
    result = client.execute("sum(range(2_000_000))").result
    assert result.usage.cpu_user_ms + result.usage.cpu_system_ms > 0
    assert result.usage.memory_peak_bytes > MIB
    assert result.usage.HasField("wall_time_ms")
    assert result.timings.setup.ToNanoseconds() > 0
    assert result.timings.run.ToNanoseconds() > 0
    assert [step.step for step in result.steps] == ["run"]


def test_every_result_has_a_sentence(client):
    for source in ("pass", "raise SystemExit(4)", "import os; os.kill(os.getpid(), 9)"):
        assert client.execute(source).result.message


def test_orphans_end_with_the_main_process(client, daemon):
    source = "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(300)\nprint('parent')"
    outcome = client.execute(source)
    assert (outcome.verdict(), outcome.stdout) == ("COMPLETED", b"parent\n")
    # init is on its way out when the result comes, and another sandbox may be in the making; no program is there any more.
    assert not [pid for pid in daemon.run_pids() if "python" in processes.executable(pid)]
    assert daemon.runs_are_gone()
