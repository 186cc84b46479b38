"""`caisson` and its own streams: standard output that takes nothing or is read by nobody, a terminal on standard error, and the
one JSON object of `run --json` in every ending that has a result."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess

import pytest

from support import processes
from support.cli import Cli
from support.client import Client
from support.environment import REPOSITORY, scaled
from support.native import compile_c

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"
PTRACE = "#include <sys/ptrace.h>\nint main(void) { return (int)ptrace(PTRACE_TRACEME, 0, 0, 0); }"
FULL = b"caisson: write to standard output: No space left on device\n"


@pytest.fixture
def cli(daemon, tmp_path):
    return Cli(daemon.address, tmp_path)


@pytest.mark.parametrize("args", [
    ["--help"], ["run", "--help"], ["profile", "lint", "--help"], ["--version"], ["version"], ["version", "--json"], ["ps"],
    ["ps", "--json"], ["profile", "list"], ["profile", "list", "--json"], ["profile", "list", "--profiles", REPOSITORY / "profiles"],
    ["profile", "lint", "--profiles", REPOSITORY / "profiles"], ["profile", "explain", "c", "--profiles", REPOSITORY / "profiles"],
    ["run", "--json", "main.py"],
], ids=lambda args: " ".join(map(str, args[:3])))
def test_result_that_cannot_be_written_is_a_failure(cli, args):
    cli.write("main.py", "pass")
    done = cli.shell('"$@" > /dev/full', *args)
    assert (done.returncode, done.stderr) == (125, FULL)
    closed = cli.shell('"$@" >&-', *args)
    assert (closed.returncode, closed.stderr) == (125, b"caisson: write to standard output: Bad file descriptor\n")


def test_installation_that_cannot_be_announced_is_not_begun(cli, daemon):
    done = cli.shell('"$@" > /dev/full', "profile", "install", "--dry-run", "--profiles", daemon.profiles_dir, "python")
    assert (done.returncode, done.stderr) == (125, FULL)


def test_cancellation_that_cannot_be_told_has_happened(cli, client):
    process = cli.start("run", cli.write("main.py", WAITING))
    assert process.stdout.readline() == b"here\n"
    done = cli.shell('"$@" > /dev/full', "cancel", client.live_runs()[0].name)
    assert (done.returncode, done.stderr) == (125, FULL)
    process.communicate(timeout=scaled(10))
    assert process.returncode == 130


def test_program_whose_output_cannot_be_kept_is_canceled(cli, daemon):
    for redirection in ("> /dev/full", ">&-"):
        done = cli.shell(f'"$@" {redirection}', "run", cli.write("main.py", WAITING))
        assert done.returncode == 125
        assert done.stderr.startswith(b"caisson: write to standard output: ") and done.stderr.endswith(b"; the run was canceled\n")
        assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(5))


def test_program_that_prints_nothing_needs_no_standard_output(cli):
    done = cli.shell('"$@" >&-', "run", cli.write("main.py", "pass"))
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("flags", [["--check"], ["--check", "--json"], ["--check-config"]])
def test_check_of_the_host_that_cannot_be_told_is_a_failure(daemon, flags):
    command = daemon.command(*flags)
    assert subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=scaled(60), check=False).returncode == 0
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=scaled(60), check=False)
    assert done.returncode == 1
    assert done.stderr.endswith(b"caissond: standard output cannot be written\n")


def test_reader_that_goes_away_ends_a_list_as_it_ends_other_programs(cli):
    done = cli.shell('"$@" | true; echo "${PIPESTATUS[0]}"', "profile", "explain", "--profiles", REPOSITORY / "profiles")
    # More than a pipe holds, so there is something to write when nobody reads any more.
    assert len(cli.run("profile", "explain", "--profiles", REPOSITORY / "profiles").stdout) > 65536
    assert (done.stdout, done.stderr) == (b"141\n", b"")


class OnATerminal:
    """`caisson` whose standard error is a terminal."""

    def __init__(self, cli, *args):
        self.master, slave = pty.openpty()
        self.process = cli.start(*args, stderr=slave)
        os.close(slave)
        self.seen = b""

    def _more(self):
        with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
            piece = os.read(self.master, 65536)
            self.seen += piece
            return piece
        return b""

    def until(self, text):
        while text not in self.seen and self._more():
            pass
        assert text in self.seen, self.seen

    def end(self):
        self.process.communicate(timeout=scaled(20))
        while self._more():
            pass
        os.close(self.master)
        return self.process.returncode


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_run_that_waits_says_so_on_a_terminal_and_nowhere_else(make_daemon, tmp_path, options):
    daemon = make_daemon(max_runs=1)
    client = Client(daemon.address)
    cli = Cli(daemon.address, tmp_path)
    path = cli.write("main.py", WAITING)
    first = cli.start("run", path)
    assert first.stdout.readline() == b"here\n"
    second = cli.start("run", path)
    assert processes.wait_until(lambda: client.info().runs_queued == 1, scaled(10))
    third = OnATerminal(cli, "run", *options, cli.write("short.py", "print('done')"))
    third.until(b"\rcaisson: waiting, 1 ahead\x1b[K")
    first.send_signal(signal.SIGINT)
    assert second.stdout.readline() == b"here\n"
    third.until(b"\rcaisson: waiting, next in the queue\x1b[K")
    second.send_signal(signal.SIGINT)
    assert third.end() == 0
    assert third.seen.endswith(b"\r\x1b[K"), "and the line is gone when it does not wait any more"
    for process in (first, second):
        assert process.communicate(timeout=scaled(10))[1] == b"caisson: canceled: the client asked for it.\n"
    client.close()


NATIVE = object()  # a program of one's own, whose profile is given
ENDINGS = {
    "COMPLETED": (["main.py"], "import sys; print('out'); sys.stderr.write('err'); sys.exit(4)", 4),
    "SIGNALED": (["main.py"], "import os; print('out', flush=True); os.kill(os.getpid(), 9)", 137),
    "WALL_TIME_LIMIT": (["--limit", f"wall_time_ms={int(scaled(500))}", "main.py"], "import time; print('out', flush=True); time.sleep(60)", 124),
    "CPU_TIME_LIMIT": (["--limit", f"cpu_time_ms={int(scaled(300))}", "main.py"], "print('out', flush=True)\nwhile True: pass", 124),
    "MEMORY_LIMIT": (["--limit", "memory_bytes=64M", "main.py"], "print('out', flush=True)\nx = bytearray(10 ** 10)", 124),
    "OUTPUT_LIMIT": (["--limit", "output_bytes=1000", "--output-overflow", "kill", "main.py"], "while True: print('out')", 124),
    "SYSCALL_VIOLATION": (["--profile", "native", "main.py"], NATIVE, 159),
    "COMPILE_FAILED": (["--profile", "c", "main.py"], "this is no C", 1),
    "SANDBOX_SETUP_FAILED": (["--profile", "native", "main.py"], "no program", 125),
}


@pytest.mark.parametrize("verdict", ENDINGS)
def test_json_is_one_result_in_every_ending(cli, verdict):
    args, source, code = ENDINGS[verdict]
    cli.write("main.py", compile_c(PTRACE) if source is NATIVE else source)
    done = cli.run("run", "--json", "--output", "kept", *args)
    assert done.returncode == code, done.stderr
    assert done.stdout.count(b"\n") == 1 and done.stdout.endswith(b"}\n")
    result = json.loads(done.stdout)
    assert result["verdict"] == verdict
    assert isinstance(result["stdout"], str) and isinstance(result["stderr"], str) and isinstance(result["outputs"], list)
    if "out" in str(source) and verdict != "COMPILE_FAILED":
        assert result["stdout"].startswith("out\n")
    if verdict == "COMPILE_FAILED":
        assert "error" in result["stderr"]
    for key in result:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", key), "the names of the proto"


def test_json_of_a_canceled_run_has_what_came_until_then(cli, client):
    process = cli.start("run", "--json", cli.write("main.py", WAITING))
    assert processes.wait_until(lambda: [run for run in client.live_runs() if run.state == client.api.run.Run.RUNNING], scaled(10))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=scaled(10))
    result = json.loads(out)
    assert (process.returncode, result["verdict"]) == (130, "CANCELED")
    assert result["stdout"] in ("", "here\n") and result["outputs"] == []


def test_json_of_a_run_that_the_service_lost_is_a_result_too(cli, daemon):
    process = cli.start("run", "--json", cli.write("main.py", WAITING))
    assert processes.wait_until(lambda: [pid for pid in daemon.run_pids() if not processes.is_init(pid)], scaled(10))
    os.kill(next(pid for pid in daemon.run_pids() if processes.is_init(pid)), signal.SIGKILL)
    out, said = process.communicate(timeout=scaled(10))
    assert (process.returncode, json.loads(out)["verdict"]) == (125, "SERVICE_FAILED")
    assert said.startswith(b"caisson: failed: ") and said.count(b"\n") == 1


def test_json_has_the_returned_files(cli):
    done = cli.run("run", "--json", "--output", "a", "--output", "missing", cli.write("main.py", "open('a', 'wb').write(bytes([0, 255]))"))
    result = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [(one["path"], one["content"]) for one in result["outputs"]] == [("a", "AP8=")]
    assert [(one["path"], one["reason"]) for one in result["refused_outputs"]] == [("missing", "NOT_FOUND")]


def test_json_of_a_run_without_a_result_is_nothing(cli):
    done = cli.run("run", "--json", "--profile", "pyhton", cli.write("main.py", "pass"))
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.count(b"\n") == 1


def test_standard_error_that_takes_nothing_harms_nothing(cli):
    done = cli.shell('"$@" 2> /dev/full', "run", cli.write("main.py", "print('out')"))
    assert (done.returncode, done.stdout) == (0, b"out\n")
