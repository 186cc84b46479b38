"""What the Python client tries again, and what it makes of a server that does what none does."""

import hashlib
import threading

import grpc
import pytest

from support import protos
from support.environment import scaled
from support.faulty_server import FaultyServer, numbered


@pytest.fixture(name="server")
def fixture_server(tmp_path):
    """A server that completes every run unless a test says otherwise. running() starts it."""
    server = FaultyServer(tmp_path)
    server.events = lambda: numbered([accepted(), finished()])
    server.answers["GetServerInfo"] = lambda _request: protos.load().run.ServerInfo(version="1")
    return server


@pytest.fixture(name="client")
def fixture_client(connect, server):
    return connect(server.address)


def accepted():
    api = protos.load().run
    return api.RunEvent(accepted=api.Accepted(name="runs/1"))


def finished():
    api = protos.load().run
    return api.RunEvent(finished=api.RunResult(verdict=api.COMPLETED, exit_code=0))


def refusal(code, reason, delay_ms=None):
    details = protos.load().error_details
    found = [details.ErrorInfo(reason=reason, domain="caisson.dev")]
    if delay_ms is not None:
        found.append(details.RetryInfo())
        found[1].retry_delay.FromMilliseconds(delay_ms)
    return grpc.StatusCode[code], reason, found


def run(client):
    return client.run("python", "x", main_file="main.py", timeout_seconds=scaled(30))


def test_a_refusal_with_a_delay_is_waited_for(server, client):
    server.refusals = [refusal("RESOURCE_EXHAUSTED", "QUEUE_FULL", 10), refusal("UNAVAILABLE", "SHUTTING_DOWN", 20)]
    with server.running():
        assert run(client).ok
        server.refusals = [refusal("UNAVAILABLE", "SUPERVISOR_UNAVAILABLE", 10)]
        assert client.server_info().version == "1"
        server.refusals = [(grpc.StatusCode.UNAVAILABLE, "Socket closed", [])]  # it runs nothing, so it may be repeated
        assert client.server_info().version == "1"
    assert len(server.requests) == 7


def test_attempts_have_an_end(caisson, server, client):
    server.refusals = [refusal("RESOURCE_EXHAUSTED", "QUEUE_FULL", 1)] * 5
    with server.running(), pytest.raises(caisson.Exhausted):
        run(client)
    assert len(server.requests) == 3


def test_a_longer_delay_than_one_would_wait_is_raised(caisson, server, client):
    server.refusals = [refusal("RESOURCE_EXHAUSTED", "QUEUE_FULL", 60_000)]
    with server.running(), pytest.raises(caisson.Exhausted) as error:
        run(client)
    assert len(server.requests) == 1 and error.value.retry_after == 60


@pytest.mark.parametrize("code, reason", [("INVALID_ARGUMENT", "INVALID_REQUEST"), ("RESOURCE_EXHAUSTED", "REQUEST_TOO_LARGE")])
def test_a_refusal_without_a_delay_is_final(caisson, server, client, code, reason):
    server.refusals = [refusal(code, reason)]
    with server.running(), pytest.raises(caisson.Refused) as error:
        run(client)
    assert len(server.requests) == 1 and error.value.reason == reason


def test_what_may_have_run_is_not_repeated(caisson, server, client):
    server.refusals = [(grpc.StatusCode.UNAVAILABLE, "Socket closed", [])]
    with server.running(), pytest.raises(caisson.Unavailable) as error:
        run(client)
    assert len(server.requests) == 1 and error.value.may_have_run


def test_an_accepted_run_is_never_repeated(caisson, server, client):
    def events():
        yield from numbered([accepted()])
        server.refusals = [refusal("UNAVAILABLE", "SUPERVISOR_UNAVAILABLE", 1)]
        raise RuntimeError("the stream breaks")
    server.events = events
    with server.running(), pytest.raises(caisson.RunLost):
        run(client)
    assert len(server.requests) == 1


def test_a_conversation_is_never_repeated(caisson, server, client):
    server.refusals = [refusal("RESOURCE_EXHAUSTED", "QUEUE_FULL", 1)]
    with server.running(), client.interact("python", "x", main_file="main.py") as session, pytest.raises(caisson.Exhausted):
        list(session)
    assert len(server.requests) == 1


def test_who_is_not_there_yet_is_tried_again(caisson, server, connect):
    client = connect(server.address, retry=caisson.Retry(attempts=100, first_delay_seconds=0.1))
    stop = threading.Event()

    def serve_later():
        with server.running():
            stop.wait(scaled(30))

    later = threading.Timer(0.3, serve_later)
    later.start()
    try:
        assert run(client).ok
    finally:
        stop.set()
        later.join()
    assert len(server.requests) == 1


def test_a_server_that_breaks_the_rules_is_canceled(caisson, server, client):
    def events():
        yield from numbered([accepted()])
        yield accepted()
        server.ended.wait(scaled(10))
    server.events = events
    with server.running(), pytest.raises(caisson.ProtocolError):
        run(client)
    assert server.ended.wait(scaled(10))
    server.events = lambda: numbered([accepted()])
    with server.running(), pytest.raises(caisson.ProtocolError, match="without a result"):
        run(client)


def test_a_list_without_end_is_given_up(caisson, server, client, monkeypatch):
    from caisson import _progress  # pylint: disable=import-outside-toplevel
    monkeypatch.setattr(_progress.Page, "MAX_PAGES", 3)
    page = protos.load().run.ListRunsResponse(next_page_token="more")
    server.answers["ListRuns"] = lambda _request: page
    with server.running(), pytest.raises(caisson.ProtocolError):
        client.ps()
    assert len(server.requests) == 4


def test_pages_are_put_together(server, client):
    api = protos.load().run
    pages = {"": api.ListRunsResponse(runs=[{"name": "runs/1"}, {"name": "runs/2"}], next_page_token="2"),
             "2": api.ListRunsResponse(next_page_token="3"), "3": api.ListRunsResponse(runs=[{"name": "runs/3"}])}
    server.answers["ListRuns"] = lambda request: pages[request.page_token]
    with server.running():
        assert [entry.name for entry in client.ps()] == ["runs/1", "runs/2", "runs/3"]
        assert [entry.name for entry in client.ps(all=True, most=2)] == ["runs/1", "runs/2"]
        assert [entry.name for entry in client.ps(filter="x", most=1)] == ["runs/1"]
    assert [request.filter for request in server.requests] == ["state != FINISHED"] * 3 + ["", "x"]


def test_following_goes_on_where_it_broke_and_brings_everything_once(caisson, server, client):
    api = protos.load().run

    def output(data, offset):
        return api.RunEvent(output=api.Output(stream=1, data=data, offset=offset, step="run"))

    def piece(data, offset):
        return api.RunEvent(output_file=api.OutputFile(path="f", data=data, offset=offset, size_bytes=4))

    step = api.RunEvent(step_finished=api.StepFinished(step="run", verdict=1))
    listed = {"path": "f", "size_bytes": 4, "digest": f"sha256:{hashlib.sha256(b'abcd').hexdigest()}"}
    done = api.RunEvent(finished=api.RunResult(verdict=1, exit_code=0, stdout={"delivered_bytes": 4}, outputs=[listed]))
    parts = [[accepted(), output(b"on", 0)], [accepted(), output(b"ly", 2), piece(b"ab", 0)], [accepted(), piece(b"abc", 0)],
             [accepted(), piece(b"abcd", 0), step, done]]

    def events(_request):
        yield from numbered(parts[len(server.requests) - 1])
        if len(server.requests) < len(parts):
            raise BrokenPipeError if len(server.requests) == 1 else ConnectionResetError
    server.followed = events
    with server.running():
        with client.follow("1") as stream:
            got = list(stream)
    kinds = [type(event).__name__ for event in got]
    assert kinds == ["Accepted", "Stdout", "Stdout", "OutputPiece", "OutputPiece", "OutputPiece", "StepFinished", "Finished"]
    assert [event.data for event in got if hasattr(event, "data")] == [b"on", b"ly", b"ab", b"c", b"d"] and isinstance(got[-1], caisson.Finished)


def test_following_a_run_that_never_began_brings_its_end(server, client):
    server.followed = lambda _request: numbered([finished()])
    with server.running():
        assert client.wait("1").ok


def test_a_run_that_is_created_is_asked_for_again_under_the_same_id(caisson, server, client):
    server.answers["CreateRun"] = lambda request: protos.load().run.Run(name="runs/1", request_id=request.request_id)
    server.refusals = [(grpc.StatusCode.UNAVAILABLE, "Socket closed", []), refusal("RESOURCE_EXHAUSTED", "STORAGE_FULL", 1)]
    with server.running():
        run_of = client.create("python", "x", main_file="main.py")
        assert [request.request_id for request in server.requests] == [run_of.request_id] * 3 and len(run_of.request_id) == 32
        assert client.create("python", "x", main_file="main.py", request_id="mine").request_id == "mine"
    with pytest.raises(caisson.RequestTooLarge):
        client.create("python", "x", main_file="main.py", files={"large": bytes(17 << 20)})
