"""`caisson`: exit codes, JSON, Ctrl-C, and each of its commands."""

import json
import os
import re
import signal
import subprocess

import pytest

from support import processes
from support.cli import Cli
from support.client import Client
from support.environment import CAISSON, REPOSITORY, scaled
from support.native import compile_c

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


@pytest.fixture
def cli(daemon, tmp_path):
    return Cli(daemon.address, tmp_path)


@pytest.fixture
def lonely_cli(tmp_path):
    """No daemon there."""
    return Cli(f"unix:{tmp_path}/none.sock", tmp_path)


@pytest.mark.parametrize("source, options, code", [
    ("pass", [], 0),
    ("raise SystemExit(3)", [], 3),
    ("import os; os.kill(os.getpid(), 9)", [], 137),
    ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", [], 143),
    ("while True: pass", ["--limit", "cpu_time_ms=300"], 124),
    ("import time; time.sleep(60)", ["--limit", "wall_time_ms=300"], 124),
    ("x = bytearray(10 ** 10)", ["--limit", "memory_bytes=64M"], 124),
    ("while True: print('y' * 1000)", ["--limit", "output_bytes=1000", "--output-overflow", "kill"], 124),
])
def test_exit_code_says_how_the_run_ended(cli, source, options, code):
    path = cli.write("main.py", source)
    assert cli.run("run", *options, path).returncode == code
    done = cli.run("run", "--json", *options, path)
    assert done.returncode == code
    json.loads(done.stdout)


def test_forbidden_call_is_159(cli):
    path = cli.write("main", compile_c("#include <sys/ptrace.h>\nint main(void) { return (int)ptrace(PTRACE_TRACEME, 0, 0, 0); }"))
    done = cli.run("run", "--profile", "native", path)
    assert done.returncode == 159
    assert b"ptrace" in done.stderr


def test_limit_is_named_on_one_line(cli):
    done = cli.run("run", "--limit", "wall_time_ms=300", cli.write("main.py", "import time; time.sleep(60)"))
    assert done.stderr == b"caisson: stopped: wall time limit: 300 ms\n"
    assert done.stdout == b""


def test_refused_calls_are_summed_up_when_the_program_failed(cli):
    done = cli.run("run", cli.write("main.py", "import socket; socket.socket(socket.AF_INET)"))
    assert done.returncode == 1
    called, explained = done.stderr.splitlines()[-2:]
    assert called == b"caisson: refused calls: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) once"
    assert explained.startswith(b"caisson: socket: A sandbox has no network.")


def test_streams_pass_through_unchanged(cli):
    data = bytes(range(256)) * 100
    path = cli.write("main.py", "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d); sys.stderr.buffer.write(d[:256])")
    done = cli.run("run", path, stdin=data)
    assert (done.stdout, done.stderr, done.returncode) == (data, data[:256], 0)


def test_json_is_one_result_with_both_streams(cli):
    path = cli.write("main.py", "import sys; print('out', sys.stdin.read()); sys.stderr.buffer.write(b'err\\xff'); sys.exit(4)")
    done = cli.run("run", "--json", path, stdin="ü".encode())
    assert done.returncode == 4 and done.stderr == b""
    assert done.stdout.count(b"\n") == 1
    result = json.loads(done.stdout)
    assert (result["verdict"], result["exit_code"], result["ended_by"]) == ("COMPLETED", 4, "PROGRAM")
    assert (result["stdout"], result["stderr"]) == ("out ü\n", "err\ufffd")
    assert int(result["stdout_count"]["bytes"]) == len("out ü\n".encode())
    assert result["outputs"] == []
    assert {fact["name"] for fact in result["isolation"]["facts"]} >= {"uid", "seccomp_mode", "namespaces"}
    assert int(result["usage"]["memory_peak_bytes"]) > 0
    assert "signal" not in result


def test_profile_is_guessed_from_the_extension_and_arguments_pass(cli):
    path = cli.write("main.py", "import sys; print(sys.argv[1:])")
    assert cli.run("run", path, "a", "--json", "--", "-x", "[1,2]").stdout == b"['a', '--json', '--', '-x', '[1,2]']\n"


def test_files_environment_and_labels_are_sent(cli):
    cli.write("data/in.txt", "content")
    path = cli.write("main.py", "import os; print(open('data/in.txt').read(), os.environ['WORD'])")
    done = cli.run("run", "--file", "data/in.txt", "--env", "WORD=a b", "--label", "team=core", path)
    assert (done.stdout, done.returncode) == (b"content a b\n", 0)


def test_dash_reads_the_program_from_standard_input(cli):
    done = cli.run("run", "--profile", "python", "-", "x", stdin=b"import sys; print(sys.argv[1], repr(sys.stdin.read()))")
    assert (done.stdout, done.returncode) == (b"x ''\n", 0)
    assert cli.run("run", "-").returncode == 2


def test_closed_standard_input_is_empty(cli):
    path = cli.write("main.py", "import sys; print(repr(sys.stdin.read()))")
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" <&-', CAISSON, "run", path], env=cli.environment,
                          capture_output=True, timeout=scaled(30), check=False)
    assert (done.stdout, done.returncode) == (b"''\n", 0)


def test_no_stdin_leaves_standard_input_alone(cli):
    path = cli.write("main.py", "import sys; print(repr(sys.stdin.read()))")
    assert cli.run("run", "-n", path, stdin=b"ignored").stdout == b"''\n"


def test_missing_output_is_told_in_one_clear_line(cli):
    for code in (0, 3):
        done = cli.run("run", "--output", "out.txt", cli.write("main.py", f"raise SystemExit({code})"))
        assert done.returncode == code
        assert done.stderr == b"caisson: not returned: out.txt: the program left no such file\n"


def test_input_over_the_request_size_is_a_clear_error(cli):
    done = cli.run("run", cli.write("main.py", "pass"), stdin=b"x" * (16 * 1024 * 1024 + 1))
    assert done.returncode == 125
    assert b"standard input is larger than the 16 MiB a request may have; --interactive sends it" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_the_run_waits_for_its_end_and_exits_130(cli, client, daemon, number):
    process = cli.start("run", cli.write("main.py", WAITING))
    assert process.stdout.readline() == b"here\n"
    process.send_signal(number)
    assert process.wait(scaled(10)) == 130
    assert client.live_runs() == []
    assert daemon.runs_are_gone()
    process.communicate()


def test_ctrl_c_with_json_still_prints_the_result(cli, client):
    process = cli.start("run", "--json", cli.write("main.py", WAITING))
    assert processes.wait_until(lambda: [run for run in client.live_runs() if run.state == client.api.run.Run.RUNNING], scaled(10))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=scaled(10))
    assert process.returncode == 130
    assert json.loads(out)["verdict"] == "CANCELED"


def test_second_ctrl_c_exits_at_once(cli, daemon):
    # Stopped, the daemon cannot answer the cancellation that the first signal asks for.
    process = cli.start("run", cli.write("main.py", WAITING))
    assert process.stdout.readline() == b"here\n"
    dispatcher = daemon.dispatcher_pid()
    os.kill(dispatcher, signal.SIGSTOP)
    try:
        process.send_signal(signal.SIGINT)
        # The first signal has been taken when it is no longer pending.
        assert processes.wait_until(
            lambda: int(processes.status_field(process.pid, "ShdPnd"), 16) & (1 << (signal.SIGINT - 1)) == 0, scaled(5))
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(scaled(5)) == 130
    finally:
        os.kill(dispatcher, signal.SIGCONT)
    process.communicate()
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(5))


def test_timeout_cancels_the_run(cli, daemon):
    done = cli.run("run", "--timeout", str(scaled(1)), cli.write("main.py", WAITING))
    assert done.returncode == 130
    assert b"--timeout" in done.stderr
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(2))


def test_reader_that_goes_away_cancels_the_run_quietly(cli, daemon):
    path = cli.write("main.py", "while True: print('y' * 100, flush=True)")
    done = subprocess.run(["bash", "-c", '"$0" run --limit wall_time_ms=60000 --limit output_bytes=60M "$1" | head -n 2; '
                           'echo "${PIPESTATUS[0]}"', CAISSON, path], env=cli.environment, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=scaled(20), check=False)
    assert done.stdout.splitlines() == [b"y" * 100, b"y" * 100, b"130"]
    assert done.stderr == b""
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(2))


def test_ps_shows_live_runs_and_with_all_finished_ones(cli, client):
    process = cli.start("run", cli.write("main.py", WAITING))
    assert process.stdout.readline() == b"here\n"
    name = client.live_runs()[0].name
    table = cli.run("ps").stdout.decode().splitlines()
    assert table[0].split() == ["NAME", "PROFILE", "STATE", "AGE", "VERDICT"]
    assert len(table) == 2 and table[1].split()[:3] == [name, "python", "RUNNING"]
    listed = json.loads(cli.run("ps", "--json").stdout)["runs"]
    assert [run["name"] for run in listed] == [name]
    done = cli.run("cancel", name.removeprefix("runs/"))
    assert (done.returncode, done.stdout) == (0, f"{name} canceled\n".encode())
    assert process.wait(scaled(10)) == 130
    process.communicate()
    assert name not in cli.run("ps").stdout.decode()
    finished = [line.split() for line in cli.run("ps", "--all").stdout.decode().splitlines() if name in line]
    assert finished[0][2] == "FINISHED" and finished[0][-1] == "CANCELED"
    again = cli.run("cancel", name)
    assert again.returncode == 0


def test_cancel_of_an_unknown_run_is_125(cli):
    done = cli.run("cancel", "0" * 32)
    assert done.returncode == 125
    assert b"not found" in done.stderr


def test_profiles_are_listed_from_the_server_and_offline(cli, lonely_cli, daemon):
    online = cli.run("profile", "list").stdout.decode()
    assert re.search(r"^python +.* \.py +.* yes$", online, re.MULTILINE)
    offline = lonely_cli.run("profile", "list", "--profiles", daemon.profiles_dir)
    assert offline.returncode == 0
    assert re.search(r"^python ", offline.stdout.decode(), re.MULTILINE)
    assert "python" in {p["name"] for p in json.loads(cli.run("profile", "list", "--json").stdout)["profiles"]}


def test_shipped_profiles_lint_clean_and_are_explained(lonely_cli):
    lint = lonely_cli.run("profile", "lint", "--profiles", REPOSITORY / "profiles")
    assert lint.returncode == 0, lint.stdout
    explained = lonely_cli.run("profile", "explain", "python", "--profiles", REPOSITORY / "profiles")
    assert explained.returncode == 0
    assert b"python" in explained.stdout.lower()
    assert lonely_cli.run("profile", "explain", "pyhton", "--profiles", REPOSITORY / "profiles").returncode == 125


def test_broken_profile_is_a_finding_with_file_and_line(lonely_cli):
    path = lonely_cli.write("profiles/broken.json", '{\n  "schema_version": 1,\n  "nmae": "broken"\n}\n')
    done = lonely_cli.run("profile", "lint", "--profiles", lonely_cli.directory / "profiles")
    assert done.returncode == 1
    assert f"{path}:3: ".encode() in done.stderr


def test_version_names_client_and_server(cli, lonely_cli):
    out = cli.run("version").stdout.decode()
    assert re.search(r"^caisson \d+\.\d+\.\d+\nserver \d+\.\d+\.\d+, ", out)
    alone = lonely_cli.run("version")
    assert alone.returncode == 0 and b"server not reachable" in alone.stdout
    assert json.loads(cli.run("version", "--json").stdout)["server"]["version"]


def test_waiting_run_is_canceled_by_ctrl_c(make_daemon, tmp_path):
    daemon = make_daemon(max_runs=1)
    client = Client(daemon.address)
    cli = Cli(daemon.address, tmp_path)
    first = cli.start("run", cli.write("main.py", WAITING))
    assert first.stdout.readline() == b"here\n"
    second = cli.start("run", cli.write("main.py", WAITING))
    assert processes.wait_until(lambda: client.info().runs_queued == 1, scaled(10))
    second.send_signal(signal.SIGINT)
    assert second.wait(scaled(10)) == 130
    assert processes.wait_until(lambda: client.info().runs_queued == 0, scaled(5))
    first.send_signal(signal.SIGINT)
    assert first.wait(scaled(10)) == 130
    for process in (first, second):
        process.communicate()
