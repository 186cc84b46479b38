"""What a hostile or careless client of a WebSocket sends, and what becomes of it."""

import contextlib
import json
import select
import socket
import threading
import time

import pytest
import websocket

from support import processes
from support.environment import scaled
from support.gateway import Gateway, python_run
from support.web_socket import BINARY, CLOSE, HANDSHAKE, PING, TEXT, Talk, frame

FOREVER = "print('here', flush=True)\nimport time\ntime.sleep(100)"
WRITES = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
LIMITS = {"output_bytes": str(64 << 20), "wall_time_ms": "60000", "cpu_time_ms": "60000"}


@pytest.fixture
def impatient(gateway_daemon):
    with Gateway(gateway_daemon.address, "--write-timeout-ms", "1000", "--websocket-idle-ms", "2000") as running:
        yield running
        assert running.stop() == 0


def opening(source):
    return frame(TEXT, json.dumps({"open": {"request": python_run(source, limits=LIMITS)}}).encode())


@pytest.mark.parametrize("message, reason, code, says", [
    ("{", "MALFORMED_JSON", 1007, "not JSON"),
    ("[]", "MALFORMED_JSON", 1007, "object"),
    ('{"eof":{},"eof":{}}', "MALFORMED_JSON", 1007, "twice"),
    ('{"x":' + "[" * 20 + "]" * 20 + "}", "MALFORMED_JSON", 1007, "16 deep"),
    ('{"shout":{}}', "INVALID_REQUEST", 1008, "no such field"),
    ('{"stdin":"!"}', "INVALID_REQUEST", 1008, "stdin"),
    ('{"stdin":"","stdin_text":""}', "INVALID_REQUEST", 1008, "beside"),
    ('{"open":{"request":{"files":[{"path":"a","text":1}]}}}', "INVALID_REQUEST", 1008, "open.request.files[0].text"),
    ('{"open":{"request":{"profile":"none","files":[{"path":"a"}]}}}', "PROFILE_NOT_FOUND", 1008, "none"),
    ('{"stdin_text":"early"}', "INPUT_OUT_OF_ORDER", 1008, "must be open"),
    ("{}", "INPUT_OUT_OF_ORDER", 1008, "must be open"),
])
def test_first_message_that_opens_nothing_is_told_why(gateway, message, reason, code, says):
    with Talk(gateway) as talk:
        talk.connection.send(message)
        problem = talk.problem()
    assert (problem["reason"], talk.code, talk.reason) == (reason, code, reason)
    assert says in problem["detail"]


def test_first_message_must_be_text(gateway):
    with Talk(gateway) as talk:
        assert (talk.send_bytes(b"{}").problem()["reason"], talk.code) == ("INVALID_REQUEST", 1008)


@pytest.mark.parametrize("messages, says", [
    (['{"open":{"request":{"profile":"python"}}}'], "open came a second time"),
    (['{"eof":{}}', '{"stdin_text":"x"}'], "stdin came after eof"),
    (['{"signal":{"name":"KILL"}}'], "a signal that is not on the list"),
    (['{"resize":{"rows":1,"columns":1}}'], "resize came to a run without a terminal"),
    (['{"stdin_text":"' + "x" * 65537 + '"}'], "a stdin message of more than 65536 bytes"),
    (["{}"], "a message without content"),
])
def test_message_out_of_place_cancels_the_run_and_is_named(gateway, messages, says):
    with Talk(gateway) as talk:
        talk.open(FOREVER).until_output("here\n")
        for message in messages:
            talk.connection.send(message)
        result = talk.result()
    assert (result["verdict"], talk.code) == ("CANCELED", 1000) and says in result["message"]


def test_message_that_is_no_json_ends_the_run(gateway, gateway_daemon):
    with Talk(gateway) as talk:
        talk.open(FOREVER).until_output("here\n")
        talk.connection.send("nonsense")
        assert (talk.problem()["reason"], talk.code) == ("MALFORMED_JSON", 1007)
        assert gateway_daemon.runs_are_gone()


@pytest.mark.parametrize("data, code", [
    (frame(TEXT, b"{}", masked=False), 1002),
    (frame(TEXT, b"{}", reserved=4), 1002),
    (frame(TEXT, b"{}", reserved=1), 1002),
    (frame(3, b""), 1002),
    (frame(11, b""), 1002),
    (frame(0, b"x"), 1002),
    (frame(TEXT, b"x", fin=False) + frame(TEXT, b"x"), 1002),
    (frame(PING, b"x" * 126), 1002),
    (frame(PING, b"x", fin=False), 1002),
    (frame(CLOSE, b"x"), 1002),
    (frame(TEXT, b"\xff"), 1007),
    (frame(TEXT, b"", length=(24 << 20) + 1), 1009),
    (frame(BINARY, b"", length=1 << 62), 1009),
], ids=["unmasked", "compressed", "reserved", "opcode", "control", "continuation", "interleaved", "long-ping", "ping-in-parts", "close", "utf-8", "large", "huge"])
def test_breach_of_the_protocol_has_its_close_code(gateway, data, code):
    with Talk(gateway) as talk:
        talk.until("open")
        talk.send_raw(data).finish()
    assert talk.code == code


@pytest.mark.parametrize("data, code", [
    (frame(TEXT, b"{}", masked=False), 1002),
    (frame(BINARY, b"", length=(2 << 20) + 1), 1009),
], ids=["unmasked", "large"])
def test_breach_of_the_protocol_ends_the_run(gateway, gateway_daemon, data, code):
    with Talk(gateway) as talk:
        talk.open(FOREVER).until_output("here\n")
        talk.send_raw(data).finish()
        assert talk.code == code
        assert gateway_daemon.runs_are_gone()


def test_fragments_make_one_message_however_small(gateway):
    data = json.dumps({"open": {"request": python_run("print(6 * 7)")}}).encode()
    with Talk(gateway) as talk:
        pieces = [frame(0 if at else TEXT, data[at:at + 1], fin=False) + frame(0, fin=False) + frame(PING) for at in range(len(data))]
        talk.send_raw(b"".join(pieces) + frame(0, b""))
        assert talk.result()["exit_code"] == 0 and talk.text() == "42\n"


def test_bytes_before_the_answer_are_refused(gateway):
    head = "GET /v1/runs:interact HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items()) + "\r\n"
    with contextlib.closing(gateway.raw(head.encode() + frame(TEXT, b"{}"))) as connection:
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 400 ") and b"MALFORMED_HTTP" in answer


def cut_off(talk):
    """Whether the connection is reset or closed without a closing frame."""
    try:
        talk.finish()
    except (ConnectionError, websocket.WebSocketConnectionClosedException):
        return True
    return False


def test_flood_of_pings_is_cut_off(gateway, gateway_daemon):
    with Talk(gateway) as talk:
        talk.open(FOREVER).until_output("here\n")
        with contextlib.suppress(OSError):
            for _ in range(10_000):
                talk.send_raw(frame(PING) * 100)
        assert gateway_daemon.runs_are_gone()


@pytest.mark.parametrize("first, piece", [(b"", frame(BINARY, b"x")), (frame(BINARY, fin=False), frame(0, fin=False)), (frame(BINARY, fin=False), frame(0, b"x", fin=False))],
                         ids=["messages", "empty-fragments", "fragments"])
def test_flood_of_tiny_frames_harms_nobody_else(gateway, gateway_daemon, first, piece):
    over = threading.Event()

    def flood():
        with contextlib.suppress(OSError):
            talk.send_raw(first)
            while not over.is_set():
                talk.send_raw(piece * 10_000)

    with Talk(gateway) as talk:
        talk.open(FOREVER).until_output("here\n")
        talk.connection.sock.settimeout(scaled(1))
        flooding = threading.Thread(target=flood)
        flooding.start()
        for _ in range(3):
            answer = gateway.request("POST", "/v1/runs:execute", python_run("print(1)"))
            assert answer.json()["stdout"] == "1\n"
        over.set()
        flooding.join()
    # What it had sent is not read to its end first.
    assert processes.wait_until(lambda: gateway_daemon.run_pids() == [], scaled(5))


def test_client_that_opens_nothing_is_told_and_closed(impatient):
    with Talk(impatient) as talk:
        assert (talk.problem()["reason"], talk.code) == ("REQUEST_TIMEOUT", 1008)


@pytest.mark.parametrize("data", [frame(BINARY, b"x", length=1000), frame(BINARY, b"x", fin=False)], ids=["frame", "fragment"])
def test_message_that_never_ends_is_cut_off(impatient, gateway_daemon, data):
    with Talk(impatient) as talk:
        talk.open(FOREVER).until_output("here\n")
        talk.send_raw(data)
        talk.connection.sock.settimeout(scaled(60))
        assert cut_off(talk)
        assert gateway_daemon.runs_are_gone()


def test_client_that_answers_no_ping_is_cut_off(impatient, gateway_daemon):
    with Talk(impatient) as talk:
        talk.open(FOREVER).until_output("here\n")
        read = b""
        with contextlib.suppress(ConnectionError):
            while more := talk.connection.sock.recv(4096):
                read += more
        assert read.startswith(bytes([0x80 | PING, 0]))
        assert gateway_daemon.runs_are_gone()


def test_client_that_answers_pings_is_kept(impatient):
    with Talk(impatient) as talk:
        talk.open("import time\nprint('here', flush=True)\ntime.sleep(6)\nprint('done')", limits=LIMITS).finish()
        assert talk.text() == "here\ndone\n" and talk.code == 1000


def test_reader_that_stands_still_is_reset_and_its_run_ends(impatient, gateway_daemon):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(scaled(60))
    with contextlib.closing(connection):
        connection.connect(("127.0.0.1", impatient.port))
        head = "GET /v1/runs:interact HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
        connection.sendall(head.encode() + b"\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 101 ")
        connection.sendall(opening(WRITES))
        assert processes.wait_until(lambda: gateway_daemon.run_pids() != [], scaled(20))
        assert processes.wait_until(lambda: gateway_daemon.run_pids() == [], scaled(20))
        with pytest.raises(ConnectionResetError):
            while connection.recv(65536):
                pass


def test_closing_frame_that_is_not_answered_is_not_waited_for(gateway):
    with Talk(gateway) as talk:
        talk.connection.send("nonsense")
        read = b""
        with contextlib.suppress(ConnectionError):
            while more := talk.connection.sock.recv(4096):
                read += more
        assert b"MALFORMED_JSON" in read


def test_connections_beyond_the_bound_are_told(gateway_daemon):
    with Gateway(gateway_daemon.address, "--max-connections-per-address", "2") as small:
        with Talk(small), Talk(small):
            assert small.request("GET", "/healthz").json()["reason"] == "TOO_MANY_CONNECTIONS"


def first_problems(talks):
    """The reasons of the first who are told of a problem; pings are passed over."""
    sockets = {talk.connection.sock: talk for talk in talks}
    reasons, deadline = [], time.monotonic() + scaled(30)
    while not reasons and time.monotonic() < deadline:
        for ready in select.select(list(sockets), [], [], 1)[0]:
            opcode, data = sockets[ready].connection.recv_data(control_frame=True)
            message = json.loads(data) if opcode == TEXT else {}
            reasons += [message["data"]["reason"]] if message.get("event") == "error" else []
    return reasons


@pytest.mark.serial
def test_input_that_no_program_reads_counts_until_the_daemon_has_taken_it(gateway_daemon):
    """A program that reads nothing leaves its client's message in the gateway; all of them together have one room."""
    lazy = "import time\nprint('here', flush=True)\ntime.sleep(120)"
    data = bytes(2 << 20)
    with Gateway(gateway_daemon.address) as mine, contextlib.ExitStack() as stack:
        talks = [stack.enter_context(Talk(mine)) for _ in range(160)]
        for talk in talks:
            talk.open(lazy, limits={"memory_bytes": str(32 << 20), "wall_time_ms": "120000"}).until_output("here\n")
        for talk in talks:
            with contextlib.suppress(ConnectionError):
                talk.send_bytes(data).send_bytes(data)  # more than the way to the daemon holds
        assert "BUSY" in first_problems(talks)
        for talk in talks:
            talk.close()
        # Their room is given back as their calls end.
        assert processes.wait_until(lambda: mine.request("POST", "/v1/runs:execute", python_run("print(1)")).json().get("stdout") == "1\n", scaled(20))


def test_messages_beyond_the_room_of_all_are_refused(gateway_daemon):
    size = 23 << 20
    begun = frame(BINARY, b"", length=size)[:-4] + bytes(4) + bytes(size - 1)  # by a mask of zeros; all but its end
    with Gateway(gateway_daemon.address) as mine, contextlib.ExitStack() as stack:
        talks = [stack.enter_context(Talk(mine)) for _ in range(12)]
        for talk in talks:
            talk.until("open")
            with contextlib.suppress(ConnectionError):
                talk.send_raw(begun)
        told, _, _ = select.select([talk.connection.sock for talk in talks], [], [], scaled(60))
        refused = next(talk for talk in talks if talk.connection.sock in told)
        problem = refused.problem()
        assert (problem["reason"], problem["retry_after_ms"], refused.code) == ("BUSY", 1000, 1011)
        for talk in talks:
            talk.close()
        answer = mine.request("POST", "/v1/runs:execute", python_run("print(1)"))
        assert answer.json()["stdout"] == "1\n"
