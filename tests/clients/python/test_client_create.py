"""Runs that outlive their call, through the Python client and a real daemon."""

import os
import signal

import pytest

from support import processes
from support.daemon import Daemon
from support.environment import scaled

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


def until(stream, kind):
    return next(event for event in stream if isinstance(event, kind))


@pytest.fixture(scope="module", name="keeper")
def fixture_keeper(privileged):
    """A daemon of these tests: what it stores is meant to be left."""
    assert privileged is None
    daemon = Daemon(profiles=["python"])
    try:
        yield daemon.start()
        daemon.stop()
    finally:
        daemon.remove_files()


@pytest.fixture(name="connection")
def fixture_connection(keeper, connect):
    return connect(keeper.address)


def test_a_run_goes_on_without_its_client_and_is_waited_for_by_another(caisson, connect, keeper):
    first = connect(keeper.address)
    run = first.create("python", "open('f', 'w').write('file')\nprint('out', input())", stdin="in\n", outputs=["f"], labels={"job": "7"})
    assert run.followable and run.request_id and run.labels == {"job": "7"}
    first.close()
    second = connect(keeper.address)
    for _ in range(2):  # as often as wanted
        result = second.wait(run.name.removeprefix("runs/"))
        assert (result.name, result.stdout, result.output("f").content, result.ok) == (run.name, b"out in\n", b"file", True)
    assert second.get(run.name).state is caisson.RunState.FINISHED
    assert [found.name for found in second.ps(filter=f'request_id = "{run.request_id}"')] == [run.name]


def test_following_brings_what_was_and_what_comes(caisson, connection):
    run = connection.create("python", WAITING)
    with connection.follow(run.name) as stream:
        assert until(stream, caisson.Stdout).data == b"here\n"
    assert connection.get(run.name).state is caisson.RunState.RUNNING  # leaving ended the following alone
    with connection.follow(run.name) as stream:
        assert until(stream, caisson.Stdout).data == b"here\n"
        stream.cancel()
        assert until(stream, caisson.Finished).result.verdict is caisson.Verdict.CANCELED


def test_when_the_time_to_wait_is_over_the_run_goes_on(caisson, connection):
    run = connection.create("python", WAITING)
    with pytest.raises(caisson.DeadlineExceeded):
        connection.wait(run.name, timeout_seconds=0.3)
    assert connection.get(run.name).state is not caisson.RunState.FINISHED
    connection.cancel(run.name)
    assert connection.wait(run.name).verdict is caisson.Verdict.CANCELED


def test_the_same_id_is_the_same_run_and_no_other(caisson, connection):
    run = connection.create("python", "print(1)")
    assert connection.create("python", "print(1)", request_id=run.request_id).name == run.name
    with pytest.raises(caisson.RequestIdReused):
        connection.create("python", "print(2)", request_id=run.request_id)


def test_what_cannot_be_followed_says_so(caisson, connection):
    with pytest.raises(caisson.NotFollowable):
        connection.wait(connection.run("python", "print(1)").name)
    with pytest.raises(caisson.RunNotFound):
        connection.wait("0" * 32)
    with pytest.raises(caisson.Unsupported) as error:
        connection.run("python", "print(1)", request_id="mine")
    assert [violation.field for violation in error.value.violations] == ["request_id"]
    with pytest.raises(caisson.InvalidRequest):
        connection.ps(filter="color = red")


def test_who_follows_outlives_the_service(caisson, make_daemon, connect):
    """A dispatcher that is killed takes the run with it, but its record says so, and who followed it gets that."""
    daemon = make_daemon(profiles=["python"])
    client = connect(daemon.address, retry=caisson.Retry(attempts=100, max_delay_seconds=0.2))
    run = client.create("python", WAITING)
    with client.follow(run.name, timeout_seconds=scaled(30)) as stream:
        assert until(stream, caisson.Stdout).data == b"here\n"
        os.kill(daemon.dispatcher_pid(), signal.SIGKILL)
        rest = list(stream)
    assert rest[-1].result.verdict is caisson.Verdict.SERVICE_FAILED and not [event for event in rest if isinstance(event, caisson.Stdout)]
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(2))
