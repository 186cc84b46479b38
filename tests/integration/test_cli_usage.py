"""`caisson` called wrongly, or where nothing answers: one line says what is wrong and what mends it."""

import json
import os
import shutil
import signal
import socket
import subprocess

import pytest

from support import processes
from support.cli import Cli
from support.environment import CAISSON, scaled


@pytest.fixture
def cli(daemon, tmp_path):
    return Cli(daemon.address, tmp_path)


@pytest.fixture
def lonely_cli(tmp_path):
    """No daemon there."""
    return Cli(f"unix:{tmp_path}/none.sock", tmp_path)


def test_two_dashes_end_the_options(cli):
    cli.write("main.py", "import sys; print(sys.argv[1:])")
    cli.write("-x.py", "import sys; print(sys.argv[1:])")
    assert cli.run("run", "--", "main.py").stdout == b"[]\n"
    assert cli.run("run", "--profile", "python", "--", "main.py", "--json", "--", "a").stdout == b"['--json', '--', 'a']\n"
    assert json.loads(cli.run("run", "--json", "--", "-x.py", "-n").stdout)["stdout"] == "['-n']\n"
    from_stdin = cli.run("run", "--profile", "python", "--", "-", "b", stdin=b"import sys; print(sys.argv[1:])")
    assert from_stdin.stdout == b"['b']\n"


def test_unknown_extension_names_the_choices(cli):
    done = cli.run("run", cli.write("main.xyz", ""))
    assert done.returncode == 2
    assert b"python (.py)" in done.stderr and b"native" in done.stderr


def test_refusals_name_every_field_on_one_line(cli):
    done = cli.run("run", "--limit", "pids=0", "--env", "1=x", cli.write("main.py", "pass"))
    assert done.returncode == 125
    assert done.stderr.count(b"\n") == 1
    assert b"limits.pids" in done.stderr and b'env["1"]' in done.stderr


def test_unknown_profile_offers_the_nearest(cli):
    done = cli.run("run", "--profile", "pyhton", cli.write("main.py", "pass"))
    assert done.returncode == 125
    assert b"did you mean python" in done.stderr or b"nearest" in done.stderr


@pytest.mark.parametrize("args", [
    [], ["run"], ["run", "--bogus", "x.py"], ["run", "/nonexistent/main.py"], ["run", "/tmp"], ["bogus"], ["cancel"],
    ["run", "--limit", "pids=x", "x.py"], ["run", "--limit", "bogus=1", "x.py"], ["run", "--env", "novalue", "x.py"],
    ["run", "--output-overflow", "maybe", "x.py"], ["run", "--timeout", "-1", "x.py"], ["profile"],
    ["--socket", "localhost:1", "ps"],
])
def test_wrong_usage_is_exit_code_2_and_one_line(lonely_cli, args):
    lonely_cli.write("x.py", "pass")
    done = lonely_cli.run(*args)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"caisson: ") and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("args", [["run", "x.py"], ["run", "--profile", "python", "x.py"], ["run", "--json", "x.py"], ["ps"],
                                  ["cancel", "x"], ["profile", "list"]])
def test_missing_daemon_is_125_and_says_how_to_start_it(lonely_cli, args):
    lonely_cli.write("x.py", "pass")
    done = lonely_cli.run(*args)
    assert done.returncode == 125
    assert done.stdout == b""
    assert b"start it: sudo caissond" in done.stderr and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("args, nearest", [(["runn", "x.py"], "run"), (["--socket", "unix:/x", "pss"], "ps"),
                                           (["profile", "explian"], "explain")])
def test_mistyped_command_is_named_with_the_nearest_one(lonely_cli, args, nearest):
    done = lonely_cli.run(*args)
    mistyped = args[-1] if args[-1] != "x.py" else args[0]
    command = " profile" if args[0] == "profile" else ""
    assert done.returncode == 2
    assert done.stderr.decode() == f"caisson: no command is named '{mistyped}'; did you mean '{nearest}'?; see caisson{command} --help\n"


@pytest.mark.parametrize("args, line", [
    ([], "COMMAND is missing; see caisson --help"),
    (["profile"], "COMMAND is missing; see caisson profile --help"),
    (["cancel"], "NAME is missing; see caisson cancel --help"),
    (["ps", "--al"], "unknown option --al; did you mean '--all'?; see caisson ps --help"),
    (["ps", "-x"], "unknown option -x; see caisson ps --help"),
    (["ps", "x\x1b"], "unexpected argument 'x\\x1b'; see caisson ps --help"),
    (["--sock", "x", "ps"], "unknown option --sock; did you mean '--socket'?; see caisson --help"),
    (["--socket"], "--socket: the value is missing; see caisson --help"),
    (["run", "--output", "/box/out", "x.py"], "--output '/box/out': give a path relative to /box, the program's working directory"),
    (["run", "--file", "x.py", "x.py"], "--file x.py: another file lies at /box/x.py already"),
    (["run", "--json=yes", "x.py"], "--json: takes no value; see caisson run --help"),
    (["run", "--limit", "wal_time_ms=5", "x.py"], "--limit wal_time_ms=5: no limit is named 'wal_time_ms'; did you mean 'wall_time_ms'?"),
    (["run", "--json", "--bogu", "x.py"], "run: unknown option --bogu; see caisson run --help"),
    (["run", "--"], "run: FILE is missing; see caisson run --help"),
    (["run", "--profil", "python", "x.py"], "run: unknown option --profil; did you mean '--profile'?; see caisson run --help"),
    (["run", "--profile", "c", "--profile", "cpp", "x.py"], "--profile: is given more than once; see caisson run --help"),
    (["run", "--timeout", "1h", "x.py"], "--timeout: must be from 0.001 to 10000000 seconds, not 1h; see caisson run --help"),
    (["run", "--output-overflow", "stop", "x.py"], "--output-overflow: must be truncate or kill, not stop; see caisson run --help"),
])
def test_wrong_usage_says_what_is_wrong_and_where_more_is_told(lonely_cli, args, line):
    lonely_cli.write("x.py", "pass")
    done = lonely_cli.run(*args)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"caisson: {line}\n"


def test_words_that_are_no_text_are_refused_in_one_line(cli):
    done = cli.run("run", cli.write("main.py", "pass"), b"\xff")
    assert done.returncode == 125
    assert done.stderr == b"caisson: invalid request: args[0]: must be valid UTF-8\n"


def test_socket_nobody_listens_on_is_125(tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    done = Cli(f"unix:{tmp_path}/dead.sock", tmp_path).run("ps")
    assert done.returncode == 125
    assert b"start it: sudo caissond" in done.stderr


def test_socket_without_permission_names_the_group(cli):
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", CAISSON, "ps"],
                          env=cli.environment, capture_output=True, timeout=scaled(30), check=False)
    if done.returncode in (126, 127):
        pytest.skip("the build directory is closed to other users")
    assert done.returncode == 125
    assert b"join the group caisson" in done.stderr


def test_doctor_is_caissonds_check(cli):
    done = cli.run("doctor", "--json")
    assert done.returncode == 0, done.stdout
    json.loads(done.stdout)


def test_doctor_looks_at_what_the_service_is_configured_with(tmp_path):
    """A /etc of its own, and a caissond that only says what it is asked."""
    programs = tmp_path / "bin"
    programs.mkdir()
    shutil.copy(CAISSON, programs)
    (programs / "caissond").write_text("#!/bin/sh\necho \"$@\"\n")
    (programs / "caissond").chmod(0o755)
    script = """set -e
        mount -t tmpfs none /etc
        mkdir /etc/caisson
        "$@"
        touch /etc/caisson/caissond.json
        "$@"
        "$@" --config mine.json"""
    said = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", programs / "caisson", "doctor", "--json"], capture_output=True,
                          timeout=scaled(30), check=True)
    assert said.stdout.decode().splitlines() == ["--check --json", "--check --json --config /etc/caisson/caissond.json",
                                                 "--check --json --config mine.json"]
    assert said.stderr == b"caisson: doctor: with the configuration /etc/caisson/caissond.json; --config names another\n"


def test_dispatcher_that_is_being_started_anew_is_told_from_no_daemon(make_daemon, tmp_path):
    daemon = make_daemon()
    cli = Cli(daemon.address, tmp_path)
    dispatcher = daemon.dispatcher_pid()
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        os.kill(dispatcher, signal.SIGKILL)
        assert processes.wait_until(lambda: processes.status_field(dispatcher, "State").startswith("Z"), scaled(5))
        done = cli.run("ps")
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    assert done.returncode == 125
    assert b"it may be starting its dispatcher anew (try again in a few seconds)" in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert processes.wait_until(lambda: cli.run("ps").returncode == 0, scaled(10))


@pytest.mark.parametrize("command", [[], ["run"], ["ps"], ["cancel"], ["profile"], ["doctor"], ["version"]])
def test_help_goes_to_standard_output(lonely_cli, command):
    done = lonely_cli.run(*command, "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Usage: caisson" in done.stdout
