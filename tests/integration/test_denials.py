"""Refused calls come back by name with a count; forbidden ones end the run."""

import pytest

from support.environment import TIME_SCALE
from support.native import compile_c

PTRACE = r"""
#include <stdio.h>
#include <sys/ptrace.h>
int main(void) {
  ptrace(PTRACE_TRACEME, 0, 0, 0);
  printf("unreachable\n");
  return 0;
}
"""

PTRACE_IN_CHILD = r"""
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  if (fork() == 0) { ptrace(PTRACE_TRACEME, 0, 0, 0); for (;;) pause(); }
  for (;;) pause();
}
"""

RAISE_SIGSYS = r"""
#include <signal.h>
int main(void) { raise(SIGSYS); return 0; }
"""


def test_internet_sockets_are_refused_and_named(client):
    source = """
import errno, socket
for family in (socket.AF_INET, socket.AF_INET6):
    try:
        socket.socket(family, socket.SOCK_STREAM)
        print("made")
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
    outcome = client.execute(source)
    assert outcome.stdout == b"EAFNOSUPPORT\nEAFNOSUPPORT\n"
    assert outcome.verdict() == "COMPLETED"
    assert outcome.denials() == {"socket": 2}
    denial = outcome.result.denials[0]
    assert denial.kind == client.api.run.Denial.SYSCALL
    assert denial.args[0] == 2  # AF_INET, of the first
    assert not denial.killed


def test_first_refusal_arrives_as_an_event(client):
    outcome = client.execute("import socket\nfor _ in range(5):\n  try: socket.socket(socket.AF_INET)\n  except OSError: pass")
    live = [event.denial for event in outcome.events if event.WhichOneof("event") == "denial"]
    assert [denial.name for denial in live] == ["socket"]
    assert live[0].count == 1
    assert outcome.denials() == {"socket": 5}


def test_denials_say_what_was_wanted_and_what_to_do(client):
    outcome = client.execute("""
import ctypes, socket
try: socket.socket(socket.AF_INET, socket.SOCK_STREAM)
except OSError: pass
ctypes.CDLL(None).unshare(0x10000000)
""")
    by_name = {denial.name: denial for denial in outcome.result.denials}
    assert list(by_name["socket"].decoded_args) == ["AF_INET", "SOCK_STREAM|SOCK_CLOEXEC", "0"]
    assert "no network" in by_name["socket"].explanation
    assert list(by_name["unshare"].decoded_args) == ["CLONE_NEWUSER"]
    assert "no further sandboxes" in by_name["unshare"].explanation
    live = [event.denial for event in outcome.events if event.WhichOneof("event") == "denial"]
    assert [(denial.name, list(denial.decoded_args), denial.explanation) for denial in live] == [
        (name, list(by_name[name].decoded_args), by_name[name].explanation) for name in ("socket", "unshare")]


def test_run_without_refusals_reports_none(client):
    assert client.execute("print(1)").denials() == {}


def test_ptrace_ends_the_run_by_name(client):
    outcome = client.execute(compile_c(PTRACE), "native")
    assert outcome.verdict() == "SYSCALL_VIOLATION"
    assert outcome.stdout == b""
    killed = [denial for denial in outcome.result.denials if denial.killed]
    assert [denial.name for denial in killed] == ["ptrace"]


def test_forbidden_call_of_a_child_ends_the_whole_run(client, daemon):
    outcome = client.execute(compile_c(PTRACE_IN_CHILD), "native")
    assert outcome.verdict() == "SYSCALL_VIOLATION"
    assert daemon.runs_are_gone()


def test_foreign_call_of_a_child_is_named_and_ends_the_run(client):
    source = """
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  if (fork() == 0) { syscall(0x40000000L | 39); pause(); }
  for (;;) pause();
}
"""
    outcome = client.execute(compile_c(source), "native")
    assert outcome.verdict() == "SYSCALL_VIOLATION"
    denial = outcome.result.denials[0]
    assert (denial.name, denial.count, denial.killed) == ("x32_syscall", 1, True)
    assert "x86-64" in denial.explanation


def test_raised_sigsys_is_no_violation(client):
    outcome = client.execute(compile_c(RAISE_SIGSYS), "native")
    assert (outcome.verdict(), outcome.result.signal) == ("SIGNALED", 31)


def test_storm_of_refused_calls_ends_the_run(client):
    source = compile_c("#include <sys/socket.h>\nint main(void) { for (;;) socket(AF_INET, SOCK_STREAM, 0); }")
    outcome = client.execute(source, "native", limits={"wall_time_ms": 60_000})
    if TIME_SCALE > 1 and outcome.verdict() == "CPU_TIME_LIMIT":
        return  # A machine too slow for the rate: then the answers have used up the run's CPU time.
    assert outcome.verdict() == "SYSCALL_VIOLATION"
    limit = outcome.result.limit
    assert limit.name == "denial_rate"
    assert limit.observed >= limit.limit > 0
    assert outcome.denials()["socket"] >= limit.limit


@pytest.mark.serial
def test_time_that_init_spends_on_answers_is_the_runs(client):
    # Far below the rate that ends a run, but init works for each of these calls, as does the program.
    source = compile_c(r"""
#include <fcntl.h>
#include <unistd.h>
int main(void) {
  int fd = open("/box/locked", O_RDWR | O_CREAT, 0600);
  for (;;) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    fcntl(fd, F_SETLK, &lock);
  }
}
""")
    outcome = client.execute(source, "native", limits={"cpu_time_ms": 600, "wall_time_ms": 30_000})
    assert outcome.verdict() == "CPU_TIME_LIMIT"
    usage = outcome.result.usage
    assert usage.cpu_user_ms + usage.cpu_system_ms < 540  # the program's own; the rest was init's


def test_new_namespaces_are_refused(client):
    source = compile_c(r"""
#include <errno.h>
#include <sched.h>
#include <stdio.h>
int main(void) {
  int result = unshare(CLONE_NEWUSER);
  printf("%d %d\n", result, errno);
  return 0;
}
""")
    outcome = client.execute(source, "native")
    assert outcome.verdict() == "SYSCALL_VIOLATION" or outcome.stdout == b"-1 1\n"
    assert "unshare" in outcome.denials()
