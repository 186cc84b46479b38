"""However a client leaves, its run ends, and the end says why."""

import time

import grpc
import pytest

from support import processes
from support.client import Client, request
from support.environment import scaled

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


def wait_gone(daemon, client, timeout=1):
    """No process of a run and no live run `timeout` seconds from now."""
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(timeout))
    assert processes.wait_until(lambda: client.live_runs() == [], scaled(timeout))


def finished(client, name):
    run, _ = client.unary("GetRun", client.api.run.GetRunRequest(name=name))
    assert run.state == client.api.run.Run.FINISHED
    return run.result


def test_client_that_cancels_its_call_ends_the_run(client, daemon):
    call = client.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    call.cancel()
    wait_gone(daemon, client)
    result = finished(client, name)
    assert result.verdict == client.api.run.CANCELED
    assert result.ended_by == client.api.run.CLIENT


def test_client_that_drops_its_connection_ends_the_run(client, daemon):
    other = Client(daemon.address)
    call = other.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    other.close()
    wait_gone(daemon, client)
    assert finished(client, name).verdict == client.api.run.CANCELED


def test_deadline_of_the_call_ends_the_run(client, daemon):
    # A wall time that no machine is slow enough to reach first.
    message = request(WAITING, limits={"wall_time_ms": 120_000})
    call = client.stub.Execute(message, timeout=scaled(1.5))
    name = None
    with pytest.raises(grpc.RpcError) as error:
        for event in call:
            if event.WhichOneof("event") == "accepted":
                name = event.accepted.name
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    wait_gone(daemon, client)
    result = finished(client, name)
    assert result.verdict == client.api.run.CANCELED
    assert "deadline" in result.message


def test_cancellation_while_the_sandbox_is_built_is_nothing_to_complain_of(client, daemon):
    for delay in range(40):
        call = client.start(request(WAITING))
        name = call.until("accepted").accepted.name
        for _ in range(delay * 200):
            pass  # another moment of the set-up each time
        client.unary("CancelRun", client.api.run.CancelRunRequest(name=name))
        assert call.finish().verdict() == "CANCELED"
    assert not [line for line in daemon.log if "broke the control protocol" in line]


@pytest.mark.serial
def test_canceled_run_ends_within_a_moment(client):
    call = client.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    before = time.monotonic()
    client.unary("CancelRun", client.api.run.CancelRunRequest(name=name))
    outcome = call.finish()
    assert time.monotonic() - before < scaled(0.5)
    assert outcome.verdict() == "CANCELED"


def test_cancel_right_after_acceptance_is_not_lost(client, daemon):
    for _ in range(20):
        call = client.start(request(WAITING))
        name = call.until("accepted").accepted.name
        client.unary("CancelRun", client.api.run.CancelRunRequest(name=name))
        assert call.finish().verdict() == "CANCELED"
    wait_gone(daemon, client)


def test_calls_canceled_at_once_leave_nothing(client, daemon):
    calls = [client.start(request(WAITING)) for _ in range(20)]
    for call in calls:
        call.cancel()
    wait_gone(daemon, client, timeout=5)


def test_queued_run_can_be_canceled(make_daemon):
    daemon = make_daemon(max_runs=1)
    client = Client(daemon.address)
    running = client.start(request(WAITING))
    running.until_output(b"here")
    queued = client.start(request("print('never')"))
    queued.until("queued")
    queued.cancel()
    assert processes.wait_until(lambda: client.info().runs_queued == 0, scaled(2))
    running.cancel()
    wait_gone(daemon, client, timeout=2)


def test_output_written_before_the_cancellation_is_delivered(client):
    call = client.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    client.unary("CancelRun", client.api.run.CancelRunRequest(name=name))
    assert call.finish().stdout == b"here\n"
