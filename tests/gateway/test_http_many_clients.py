"""A thousand clients of one gateway at once, each with a stream of events."""

import contextlib
import selectors
import time

import pytest

from support.environment import scaled
from support.gateway import Gateway, python_run

CLIENTS = 1_000
# One of them, with what gRPC and the daemon's answer need; a client that reads nothing may hold up to its socket's buffer besides.
MOST_KIB_EACH = 128
LINES = 30
SOURCE = f"import time\nfor number in range({LINES}):\n    print('line', number, flush=True)\n    time.sleep(0.2)\n"


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def read_to_the_end(readers, until):
    """What each of the connections got, up to its `finished`; calls `until` once all of them have a line."""
    got = {connection: b"" for connection in readers}
    began, told = set(), False
    deadline = time.monotonic() + scaled(60)
    with selectors.DefaultSelector() as selector:
        for connection in readers:
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ)
        while selector.get_map():
            assert time.monotonic() < deadline, f"{len(selector.get_map())} streams have no end"
            for key, _ in selector.select(1):
                data = key.fileobj.recv(65_536)
                got[key.fileobj] += data
                if b"line 0" in got[key.fileobj]:
                    began.add(key.fileobj)
                if not data or b"event: finished" in got[key.fileobj]:
                    selector.unregister(key.fileobj)
            if not told and len(began) == len(readers):
                told = True
                until()
    assert told
    return got.values()


@pytest.mark.serial
def test_thousand_streams_have_every_event_and_cost_bounded_memory(gateway_daemon):
    with Gateway(gateway_daemon.address) as gateway, contextlib.ExitStack() as stack:
        run = gateway.request("POST", "/v1/runs", python_run(SOURCE)).json()
        before = resident_kib(gateway.pid)
        request = f"GET /v1/{run['name']}:follow HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        connections = [stack.enter_context(contextlib.closing(gateway.raw(request))) for _ in range(CLIENTS)]
        readers = connections[: CLIENTS * 9 // 10]  # the rest never reads
        seen = []

        def look():
            seen.append(resident_kib(gateway.pid))
            assert gateway.request("POST", "/v1/runs:execute", python_run("print(6 * 7)")).json()["stdout"] == "42\n"

        for body in read_to_the_end(readers, look):
            assert body.startswith(b"HTTP/1.1 200 ")
            assert body.count(b"event: output\r\n") + body.count(b"event: output\n") >= 1
            text = body.decode()
            assert all(f"line {number}\\n" in text for number in range(LINES)), text[-500:]
            assert '"verdict":"COMPLETED"' in text
        seen.append(resident_kib(gateway.pid))
        assert max(seen) - before < CLIENTS * MOST_KIB_EACH, (before, seen)
