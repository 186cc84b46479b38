"""Interactive runs over a WebSocket: what is typed, signals, terminals, and how they end."""

import os
import signal

import pytest
import websocket

from support import processes
from support.environment import scaled
from support.gateway import Gateway, python_run
from support.web_socket import HANDSHAKE, SUBPROTOCOL, Talk

ECHO = "import sys\nprint('ready', flush=True)\nfor line in sys.stdin: print('got', line.strip(), flush=True)\nprint('end')"
FOREVER = "print('here', flush=True)\nimport time\ntime.sleep(100)"


def handshake(gateway, **headers):
    """The answer to a handshake with these headers changed; None takes one away."""
    fields = {**HANDSHAKE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return gateway.request("GET", "/v1/runs:interact", **{name: value for name, value in fields.items() if value is not None})


def test_lines_are_answered_as_they_are_typed(gateway):
    with Talk(gateway) as talk:
        talk.open(ECHO).until_output("ready\n")
        talk.send(stdin_text="één\n").until_output("got één\n")
        talk.send(stdin="dHdvCg==").until_output("got two\n")
        talk.send_bytes(b"three\n").until_output("got three\n")
        result = talk.send(eof={}).result()
    assert talk.text().endswith("end\n") and (result["verdict"], talk.code) == ("COMPLETED", 1000)
    assert talk.connection.subprotocol == SUBPROTOCOL


def test_events_are_those_of_an_event_stream(gateway):
    with Talk(gateway) as talk:
        events = talk.open("print('é')").finish()
    names = [name for name, _ in events]
    assert names[0] == "open" and events[0][1]["schema"] == "caisson.run-events.v1"
    assert names[1:] == ["accepted", "started", "output", "step_finished", "finished"]
    streamed = gateway.request("POST", "/v1/runs:execute", python_run("print('é')"), Accept="text/event-stream").events()
    output = dict(events)["output"]
    assert output == {name: data for name, data, _ in streamed}["output"]
    assert [data["sequence"] for _, data in events] == list(range(1, len(events) + 1))


def test_binary_messages_of_any_size_are_input(gateway):
    source = "import sys\ndata = sys.stdin.buffer.read()\nprint(len(data), sum(data))"
    with Talk(gateway) as talk:
        talk.open(source).until("started")
        talk.send_bytes(bytes(range(256)) * 4000).send_bytes(b"").send(eof={}).finish()
    assert talk.text() == f"{256 * 4000} {sum(range(256)) * 4000}\n"


def test_files_that_come_in_chunks(gateway):
    with Talk(gateway) as talk:
        request = {"profile": "python", "main_file": "main.py"}
        talk.send(open={"request": request, "files_to_follow": 2})
        talk.send(file={"path": "main.py", "text": "print(open('data').read())", "last": True})
        talk.send(file={"path": "data", "data": "Zm9y"}).send(file={"path": "data", "text": "ty", "last": True})
        assert talk.result()["exit_code"] == 0 and talk.text() == "forty\n"


def test_terminal_is_resized(gateway):
    # Waits for the signal instead of handling it, which could come in the middle of a print().
    source = ("import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])\nsignal.signal(signal.SIGWINCH, print)\n"
              "print(*os.get_terminal_size(), flush=True)\nsignal.sigwait([signal.SIGWINCH])\nprint(*os.get_terminal_size(), flush=True)\n"
              "while input() != 'q': pass")
    with Talk(gateway) as talk:
        talk.open(source, terminal={"rows": 10, "columns": 20}).until_output("20 10\r\n")
        talk.send(resize={"rows": 33, "columns": 44}).until_output("44 33\r\n")
        assert talk.send(stdin_text="q\r").result()["exit_code"] == 0


@pytest.mark.parametrize("interrupt", [{"signal": {"name": "INT"}}, {"stdin": "Aw=="}], ids=["signal", "terminal"])
def test_interrupts_reach_the_program(gateway, interrupt):
    # Python looks for signals between two calls: one that comes just before a long sleep would wait for its end.
    source = ("import time\ntry:\n    print('here', flush=True)\n    while True: time.sleep(0.05)\n"
              "except KeyboardInterrupt:\n    print('interrupted')")
    with Talk(gateway) as talk:
        talk.open(source, terminal={}).until_output("here\r\n")
        assert talk.send(**interrupt).result()["exit_code"] == 0
        assert "interrupted" in talk.text()


def test_cancel_ends_the_run_and_is_told(gateway):
    with Talk(gateway) as talk:
        talk.open(FOREVER).until_output("here\n")
        assert talk.send(cancel={}).result()["verdict"] == "CANCELED"
        assert talk.code == 1000


@pytest.mark.parametrize("leave", ["close", "half", "drop"])
def test_client_that_goes_away_ends_its_run(gateway, gateway_daemon, leave):
    with Talk(gateway) as talk:
        talk.open(FOREVER).until_output("here\n")
        if leave == "close":
            talk.connection.close(timeout=scaled(10))
        elif leave == "half":
            talk.connection.sock.shutdown(1)
        else:
            talk.connection.shutdown()
        assert gateway_daemon.runs_are_gone()


def test_client_that_goes_away_while_its_input_waits_ends_its_run(gateway, gateway_daemon):
    with Talk(gateway) as talk:
        talk.open(FOREVER).until_output("here\n")
        talk.connection.sock.settimeout(scaled(2))
        with pytest.raises((TimeoutError, websocket.WebSocketTimeoutException)):
            for _ in range(100):  # until everybody's buffers are full
                talk.send_bytes(bytes(1 << 20))
        talk.connection.shutdown()
        # Its end stands behind what nobody reads: the next ping finds it out.
        assert processes.wait_until(lambda: gateway_daemon.run_pids() == [], scaled(10))


def test_gateway_that_is_killed_ends_its_runs(gateway_daemon):
    with Gateway(gateway_daemon.address) as mine, Talk(mine) as talk:
        talk.open(FOREVER).until_output("here\n")
        os.kill(mine.pid, signal.SIGKILL)
        assert gateway_daemon.runs_are_gone()


@pytest.mark.parametrize("opened", [True, False])
def test_gateway_that_is_stopped_says_so(gateway_daemon, opened):
    with Gateway(gateway_daemon.address, "--grace-ms", "200") as mine, Talk(mine) as talk:
        if opened:
            talk.open(FOREVER).until_output("here\n")
        else:
            talk.until("open")
        mine.process.send_signal(signal.SIGTERM)
        assert (talk.problem()["reason"], talk.code) == ("GATEWAY_STOPPING", 1001)
        assert mine.stop() == 0
        assert gateway_daemon.runs_are_gone()


def test_runs_that_end_in_the_grace_time_end_well(gateway_daemon):
    with Gateway(gateway_daemon.address, "--grace-ms", "60000") as mine, Talk(mine) as talk:
        talk.open(ECHO).until_output("ready\n")
        mine.process.send_signal(signal.SIGTERM)
        talk.send(stdin_text="still\n").until_output("got still\n")
        assert talk.send(eof={}).result()["verdict"] == "COMPLETED"
        assert mine.stop() == 0


def test_daemon_that_is_gone_is_an_error(make_daemon):
    daemon = make_daemon(ready_sandboxes=0, profiles=["python"])
    with Gateway(daemon.address) as mine:
        with Talk(mine) as talk:
            talk.open(FOREVER).until_output("here\n")
            os.kill(daemon.dispatcher_pid(), signal.SIGKILL)
            assert (talk.problem()["reason"], talk.code) == ("DAEMON_UNREACHABLE", 1011)
        assert daemon.stop() == 0
        with Talk(mine) as talk:
            assert (talk.open(FOREVER).problem()["reason"], talk.code) == ("DAEMON_UNREACHABLE", 1011)


@pytest.mark.parametrize("headers, status, reason", [
    ({"Upgrade": None}, 426, "UPGRADE_REQUIRED"),
    ({"Connection": "close"}, 426, "UPGRADE_REQUIRED"),
    ({"Upgrade": "h2c"}, 426, "UPGRADE_REQUIRED"),
    ({"Sec_WebSocket_Version": "8"}, 426, "UPGRADE_REQUIRED"),
    ({"Sec_WebSocket_Version": None}, 426, "UPGRADE_REQUIRED"),
    ({"Sec_WebSocket_Key": None}, 400, "MALFORMED_HTTP"),
    ({"Sec_WebSocket_Key": "c2hvcnQ="}, 400, "MALFORMED_HTTP"),
    ({"Sec_WebSocket_Key": "x" * 5000}, 400, "MALFORMED_HTTP"),
    ({"Sec_WebSocket_Protocol": None}, 400, "SUBPROTOCOL_REQUIRED"),
    ({"Sec_WebSocket_Protocol": "caisson.run-interact.v2, chat"}, 400, "SUBPROTOCOL_REQUIRED"),
    ({"Origin": "https://evil.example.org"}, 403, "ORIGIN_NOT_ALLOWED"),
    ({"Origin": "null"}, 403, "ORIGIN_NOT_ALLOWED"),
    ({"Host": "rebound.example.org"}, 421, "HOST_NOT_ALLOWED"),
])
def test_handshake_that_may_not_be_is_refused_before_the_upgrade(gateway, headers, status, reason):
    answer = handshake(gateway, **headers)
    assert (answer.status, answer.json()["reason"]) == (status, reason)
    if status == 426:
        assert (answer.headers["upgrade"], answer.headers["sec-websocket-version"]) == ("websocket", "13")
        assert "upgrade" in answer.headers["connection"].lower()


def test_pages_of_ours_and_of_allowed_origins_may(gateway):
    for origin in (f"http://127.0.0.1:{gateway.port}", "https://play.example.org"):
        with Talk(gateway, origin=origin) as talk:
            assert talk.open("print(1)").result()["exit_code"] == 0


def test_compression_is_not_offered_and_the_request_is_named(gateway):
    header = {"Sec-WebSocket-Extensions": "permessage-deflate", "X-Request-Id": "mine-1"}
    with Talk(gateway, header=header) as talk:
        answer = talk.connection.handshake_response.headers
        assert "sec-websocket-extensions" not in answer and answer["x-request-id"] == "mine-1"
        assert talk.until("open")["request_id"] == "mine-1"
