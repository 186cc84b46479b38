"""How the Python client says that there is no result, with a real daemon."""

import os
import signal
import socket

import pytest

from support import processes
from support.environment import scaled

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


def until(stream, kind):
    return next(event for event in stream if isinstance(event, kind))


def test_invalid_fields_are_named(caisson, connection):
    with pytest.raises(caisson.InvalidRequest) as error:
        connection.run("python", "x", pids=10**9, env={"1": "bad"}, files={"../x": "y"})
    assert {violation.field for violation in error.value.violations} >= {"limits.pids", "files[1].path"}
    assert error.value.reason == "INVALID_REQUEST" and "limits.pids: " in str(error.value)


def test_an_unknown_profile_is_told_with_its_neighbours(caisson, connection):
    with pytest.raises(caisson.ProfileNotFound) as error:
        connection.run("pithon", "x")
    assert "python" in error.value.nearest and isinstance(error.value, caisson.NotFound)


def test_an_unknown_run_is_not_found(caisson, connection):
    for call in (connection.get, connection.cancel):
        with pytest.raises(caisson.RunNotFound):
            call("0" * 32)


def test_what_is_too_large_says_what_there_may_be(caisson, connection):
    with pytest.raises(caisson.RequestTooLarge) as error:
        connection.get("x" * 70_000)
    assert error.value.limit_bytes == 64 * 1024


def test_a_call_that_has_no_time_is_over(caisson, connect, daemon):
    with pytest.raises(caisson.DeadlineExceeded) as error:
        connect(daemon.address, call_timeout_seconds=0).server_info()
    assert error.value.name is None
    with pytest.raises(caisson.DeadlineExceeded):
        connect(daemon.address).run("python", "x", main_file="main.py", timeout_seconds=0)


def test_no_daemon_is_told_as_the_command_line_tells_it(caisson, connect, tmp_path):
    missing, deaf = tmp_path / "missing.sock", tmp_path / "deaf.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(deaf))
    quick = caisson.Retry(attempts=1)
    for path, words in ((missing, "does not exist"), (deaf, "no daemon listens")):
        client = connect(str(path), retry=quick)
        for call in (client.server_info, lambda: client.run("python", "x", main_file="main.py")):  # pylint: disable=cell-var-from-loop
            with pytest.raises(caisson.Unavailable, match=words) as error:
                call()
            assert (error.value.reason, error.value.may_have_run) == ("", False)


def test_a_daemon_that_takes_its_time_is_waited_for(caisson, connect, tmp_path):
    """On a busy machine it takes longer than a moment to answer who connects."""
    path = str(tmp_path / "slow.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with pytest.raises(caisson.DeadlineExceeded):
            connect(path, call_timeout_seconds=1).server_info()
        listener.setblocking(False)
        first, _ = listener.accept()
        with first, pytest.raises(BlockingIOError):  # it connected once, and waited
            listener.accept()


def test_a_socket_of_others_is_permission_denied(caisson, connect, tmp_path, monkeypatch):
    def deny(*_):
        raise PermissionError(13, "Permission denied")
    monkeypatch.setattr("socket.socket.connect", deny)
    with pytest.raises(caisson.PermissionDenied, match="group caisson"):
        connect(str(tmp_path / "x.sock"), retry=caisson.Retry(attempts=1)).server_info()


def test_a_full_queue_and_a_canceled_place_are_told(caisson, make_daemon, connect):
    daemon = make_daemon(profiles=["python"], max_runs=1, queue_length=1)
    client = connect(daemon.address, retry=caisson.Retry(attempts=1))
    with client.stream("python", WAITING) as running:
        until(running, caisson.Stdout)
        with client.stream("python", "print('later')") as waiting:
            assert until(waiting, caisson.Queued).position == 1
            with pytest.raises(caisson.Exhausted) as error:
                client.run("python", "x")
            assert error.value.retry_after > 0 and error.value.quotas[0].field == "queue"
            waiting.cancel()
            with pytest.raises(caisson.Canceled):
                list(waiting)
        assert processes.wait_until(lambda: client.server_info().runs_queued == 0, scaled(2))


def test_a_daemon_that_is_lost_loses_its_runs(caisson, make_daemon, connect):
    daemon = make_daemon(profiles=["python"])
    client = connect(daemon.address, retry=caisson.Retry(attempts=1))
    with client.stream("python", WAITING) as stream:
        until(stream, caisson.Stdout)
        os.kill(daemon.dispatcher_pid(), signal.SIGKILL)
        with pytest.raises(caisson.RunLost) as error:
            list(stream)
        assert error.value.name == stream.name
    # It comes back, and a client that tries again finds it.
    assert processes.wait_until(lambda: daemon.dispatcher_pid() is not None, scaled(10))
    patient = connect(daemon.address, retry=caisson.Retry(attempts=100, max_delay_seconds=0.2))
    assert patient.run("python", "print(1)", timeout_seconds=scaled(20)).ok
