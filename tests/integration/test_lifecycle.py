"""Start, stop, refuse to start, and die: nothing of a run survives, nothing is left."""

import grp
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc
import pytest

from support import leakcheck, processes
from support.client import Client, request
from support.daemon import Daemon, DaemonFailed
from support.environment import CAISSOND, scaled

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(120)"
MANY = 50
SMALL = {"memory_bytes": 32 * 1024 * 1024, "wall_time_ms": 120_000}


@pytest.fixture(autouse=True)
def every_test_leaves_nothing(privileged):  # pylint: disable=unused-argument
    """Set up before make_daemon, so it compares after those daemons are gone."""
    with leakcheck.nothing_left():
        yield


@pytest.fixture
def make(every_test_leaves_nothing, make_daemon):  # pylint: disable=unused-argument,redefined-outer-name
    return make_daemon


def start_runs(client, count, source=WAITING):
    """`count` runs that have all printed "here"."""
    calls = [client.start(request(source, limits=SMALL), timeout=None) for _ in range(count)]
    for call in calls:
        call.until_output(b"here")
    return calls


def failed_start(daemon):
    """The DaemonFailed of a daemon that must not start."""
    with pytest.raises(DaemonFailed) as failure:
        daemon.start()
    assert failure.value.code not in (0, "no sign of being ready")
    return "".join(failure.value.log)


def test_stop_without_runs_exits_0_and_removes_the_socket(make):
    daemon = make()
    dispatcher = daemon.dispatcher_pid()
    assert daemon.socket_path.exists()
    assert daemon.stop() == 0
    assert not daemon.socket_path.exists()
    assert processes.status_field(dispatcher, "Name") is None


def test_socket_is_for_the_group_only(make):
    daemon = make()
    status = os.stat(daemon.socket_path)
    assert oct(status.st_mode & 0o777) == "0o660"
    assert grp.getgrgid(status.st_gid).gr_name == "caisson"


def test_dispatcher_has_no_privileges(make):
    daemon = make()
    pid = daemon.dispatcher_pid()
    assert set(processes.status_field(pid, "Uid").split()) != {"0"} and "0" not in processes.status_field(pid, "Uid").split()
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(processes.status_field(pid, name), 16) == 0, name
    assert processes.status_field(pid, "NoNewPrivs") == "1"
    assert processes.status_field(pid, "Seccomp") == "2"


def test_supervisor_has_one_thread_and_no_network(make):
    daemon = make()
    assert processes.thread_count(daemon.pid) == 1


def test_sigterm_lets_short_runs_finish(make):
    daemon = make(grace_ms=20_000)
    client = Client(daemon.address)
    call = client.start(request("print('here', flush=True)\nimport time\ntime.sleep(2)\nprint('done')"))
    call.until_output(b"here")
    daemon.process.send_signal(signal.SIGTERM)
    outcome = call.finish()
    assert (outcome.verdict(), outcome.stdout) == ("COMPLETED", b"here\ndone\n")
    assert daemon.stop() == 0


def test_sigterm_cancels_what_still_runs_after_the_grace_time(make):
    daemon = make(grace_ms=500)
    client = Client(daemon.address)
    calls = start_runs(client, 3)
    before = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    for call in calls:
        outcome = call.finish()
        assert outcome.verdict() == "CANCELED"
        assert outcome.result.ended_by == client.api.run.OPERATOR
    assert daemon.stop() == 0
    assert time.monotonic() - before < 0.5 + scaled(3)
    assert daemon.run_pids() == []


def test_draining_daemon_refuses_new_runs(make):
    daemon = make(grace_ms=10_000)
    client = Client(daemon.address)
    calls = start_runs(client, 1)
    daemon.process.send_signal(signal.SIGTERM)
    refusals = []

    def refused():
        try:
            client.start(request("pass"), timeout=2).finish()
        except grpc.RpcError as error:
            refusals.append(error.code())
        return bool(refusals)

    assert processes.wait_until(refused, scaled(5))
    assert refusals[0] == grpc.StatusCode.UNAVAILABLE
    calls[0].cancel()
    assert daemon.stop() == 0


def test_second_instance_is_refused_and_told_who_holds_the_state(make):
    daemon = make()
    second = Daemon(config={"state_dir": str(daemon.directory / "state")})
    try:
        log = failed_start(second)
        assert str(daemon.pid) in log
    finally:
        second.remove_files()
    client = Client(daemon.address)
    assert client.execute("print(1)").stdout == b"1\n"


def test_ids_of_another_instance_are_refused_and_neighbours_are_not(make):
    first = make()
    for overlap in (0, 1, first.config["id_count"] - 1):
        second = Daemon(config={"id_first": first.id_first + overlap})
        try:
            log = failed_start(second)
            assert f"those of another caissond, {first.id_first}+{first.config['id_count']}" in log
            assert "id_first of its own" in log
        finally:
            second.remove_files()
    begin, half = make(start=False).id_first, first.config["id_count"] // 2
    halves = [make(id_first=begin + at, id_count=half, max_runs=4, ready_sandboxes=0) for at in (0, half)]
    assert [Client(half.address).execute("print(1)").stdout for half in halves] == [b"1\n", b"1\n"]


def on_a_terminal(daemon):
    """caissond in the foreground of a terminal; its master."""
    master, slave = pty.openpty()
    plain, name = daemon.command, os.ttyname(slave)
    lead = ("import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(os.open(sys.argv[1], os.O_RDWR), termios.TIOCSCTTY, 0); "
            "os.execv(sys.argv[2], sys.argv[2:])")
    daemon.command = lambda *extra: [sys.executable, "-c", lead, name, *plain(*extra)]
    daemon.start()
    os.close(slave)
    return master


@pytest.mark.parametrize("end", ["Ctrl-C", "the terminal is closed"])
def test_end_from_the_terminal_lets_short_runs_finish(make, end):
    daemon = make(start=False, grace_ms=20_000)
    master = on_a_terminal(daemon)
    call = Client(daemon.address).start(request("import time\nprint('here', flush=True)\ntime.sleep(2)\nprint('done')"))
    call.until_output(b"here")
    if end == "Ctrl-C":
        os.write(master, b"\x03")
    else:
        os.close(master)
    outcome = call.finish()
    assert (outcome.verdict(), outcome.stdout) == ("COMPLETED", b"here\ndone\n")
    assert daemon.process.wait(scaled(20)) == 0
    assert any(("SIGINT" if end == "Ctrl-C" else "SIGHUP") in line for line in daemon.log)


@pytest.mark.parametrize("text, expected", [
    ('{\n  "schema_version": 1,\n  "bogus": 1\n}', [":3: ", "bogus"]),
    ('{\n  "schema_version": 1,\n  "queue_length": "many"\n}', [":3: ", "queue_length"]),
    ('{\n  "schema_version": 1,\n  "queue_length": 1,\n  "queue_length": 2\n}', [":4: ", "queue_length"]),
    ('{\n  "schema_version": 2\n}', [":2: ", "schema_version"]),
    ('{\n  "queue_length": 5\n}', ["schema_version"]),
    ('{\n  "schema_version": 1,\n  "log_level": "loud"\n}', [":3: ", "log_level"]),
    ('{\n  "schema_version": 1,\n', [":"]),
    ('{\n  "schema_version": 1,\n  "accepted_degradations": ["everything"]\n}', [":3: ", "accepted_degradations"]),
])
def test_bad_configuration_names_file_line_and_key(make, text, expected):
    daemon = make(start=False)
    daemon.write_files()
    daemon.config_file.write_text(text)
    log = failed_start(daemon)
    assert str(daemon.config_file) in log
    for part in expected:
        assert part in log


def test_configuration_others_can_write_is_refused(make):
    daemon = make(start=False)
    daemon.write_files()
    os.chmod(daemon.config_file, 0o666)
    assert str(daemon.config_file) in failed_start(daemon)


def test_broken_profile_names_file_line_and_key(make):
    daemon = make(start=False)
    daemon.write_files()
    path = daemon.profiles_dir / "python.json"
    profile = json.loads(path.read_text())
    profile["bogus"] = 1
    path.write_text(json.dumps(profile, indent=2))
    log = failed_start(daemon)
    assert str(path) + ":" in log and "bogus" in log


def test_profile_others_can_write_is_refused(make):
    daemon = make(start=False)
    daemon.write_files()
    os.chmod(daemon.profiles_dir / "python.json", 0o666)
    assert "python.json" in failed_start(daemon)


def test_unknown_user_for_the_dispatcher_is_refused(make):
    assert "no-such-user" in failed_start(make(start=False, user="no-such-user"))


def test_wrong_flag_is_refused(privileged):  # pylint: disable=unused-argument
    done = subprocess.run([CAISSOND, "--no-such-flag"], capture_output=True, text=True, timeout=scaled(10), check=False)
    assert done.returncode not in (0, None)
    assert "no-such-flag" in done.stderr


def test_check_leaves_nothing_and_reports_as_json(privileged):  # pylint: disable=unused-argument
    done = subprocess.run([CAISSOND, "--check", "--json"], capture_output=True, text=True, timeout=scaled(60), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    json.loads(done.stdout)


@pytest.mark.serial
def test_kill_9_of_the_dispatcher_ends_every_run_and_a_new_one_serves(make):
    daemon = make(max_runs=MANY)
    client = Client(daemon.address)
    start_runs(client, MANY)
    old = daemon.dispatcher_pid()
    os.kill(old, signal.SIGKILL)
    time.sleep(scaled(1))  # the promise is about this second
    assert daemon.run_pids() == []
    assert processes.wait_until(lambda: daemon.dispatcher_pid() not in (None, old), scaled(10))
    fresh = Client(daemon.address)

    def serves():
        try:
            return fresh.execute("print(1)", timeout=5).stdout == b"1\n"
        except grpc.RpcError:
            return False

    assert processes.wait_until(serves, scaled(15), interval=0.2)
    assert daemon.stop() == 0


@pytest.mark.serial
def test_kill_9_of_caissond_ends_every_run_and_the_next_start_sweeps(make):
    daemon = make(max_runs=MANY)
    client = Client(daemon.address)
    start_runs(client, MANY)
    dispatcher = daemon.dispatcher_pid()
    daemon.kill9()
    time.sleep(scaled(1))  # the promise is about this second
    assert daemon.run_pids() == []
    assert processes.wait_dead(dispatcher, scaled(5))
    daemon.start()
    assert Client(daemon.address).execute("print(1)").stdout == b"1\n"
    assert daemon.stop() == 0


@pytest.mark.serial
def test_kill_9_while_sandboxes_are_being_built_leaves_nothing(make):
    daemon = make(max_runs=MANY)
    client = Client(daemon.address)
    calls = [client.start(request("pass"), timeout=None) for _ in range(MANY)]
    calls[0].until("accepted")
    daemon.kill9()
    time.sleep(scaled(1))  # the promise is about this second
    assert daemon.run_pids() == []
    daemon.start()
    assert daemon.stop() == 0


def test_many_starts_and_stops_in_a_row_work(make):
    daemon = make()
    for _ in range(3):
        assert Client(daemon.address).execute("print(1)").stdout == b"1\n"
        assert daemon.stop() == 0
        daemon.start()


def test_runs_of_two_daemons_do_not_disturb_each_other(make):
    first, second = make(), make()
    call = Client(first.address).start(request(WAITING))
    call.until_output(b"here")
    assert second.stop() == 0
    assert len(first.run_pids()) >= 1
    assert Client(first.address).execute("print(1)").stdout == b"1\n"
    call.cancel()


def test_daemon_tells_systemd_when_it_is_ready(make, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(scaled(30))
        daemon = make(start=False)
        os.environ["NOTIFY_SOCKET"] = str(path)
        try:
            daemon.start()
        finally:
            del os.environ["NOTIFY_SOCKET"]
        messages = []
        reader = threading.Thread(target=lambda: messages.append(listener.recv(4096)))
        reader.start()
        reader.join(scaled(10))
        assert messages and b"READY=1" in messages[0]
        assert daemon.stop() == 0


def test_more_runs_than_descriptors_are_refused_at_start(make):
    daemon = make(start=False, max_runs=500_000, id_first=100_000_000, id_count=3_000_000)
    log = failed_start(daemon)
    assert "max_runs 500000 needs " in log and "descriptors" in log and "LimitNOFILE" in log


def test_low_soft_limit_of_descriptors_is_raised(make):
    daemon = make(start=False, max_runs=16)
    plain = daemon.command
    daemon.command = lambda *extra: ["prlimit", "--nofile=128:8192", *plain(*extra)]
    daemon.start()
    with open(f"/proc/{daemon.pid}/limits", encoding="ascii") as limits:
        line = next(line for line in limits if line.startswith("Max open files"))
    assert line.split()[3:5] == ["8192", "8192"]


def test_kill_9_of_the_builder_ends_every_run_and_caissond_with_an_error(make):
    daemon = make()
    call = Client(daemon.address).start(request(WAITING))
    call.until_output(b"here")
    os.kill(processes.builder_of(daemon.pid), signal.SIGKILL)
    assert call.finish().verdict() == "CANCELED"
    assert daemon.process.wait(scaled(30)) == 1
    assert daemon.run_pids() == []


def test_builder_hears_no_signal_that_is_caissonds(make):
    daemon = make()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        os.kill(processes.builder_of(daemon.pid), number)
    assert Client(daemon.address).execute("print('still here')").stdout == b"still here\n"
    assert daemon.stop() == 0
