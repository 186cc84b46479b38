"""Clients that send too slowly: told, cut off, and at nobody else's cost."""

import contextlib
import select
import time

import pytest

from support.environment import scaled
from support.gateway import Gateway, python_run
from support.processes import wait_until


def end_of(connection):
    """What came until the other side closed."""
    answer = b""
    while more := connection.recv(65536):
        answer += more
    return answer


@pytest.mark.early
def test_a_head_that_never_ends_is_told_and_the_connection_closed(gateway):
    with contextlib.closing(gateway.raw(b"GET /healthz HTTP/1.1\r\nHost: loc")) as connection:
        assert gateway.request("GET", "/healthz").status == 200
        answer = end_of(connection)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"REQUEST_TIMEOUT" in answer


@pytest.mark.long
def test_a_body_that_trickles_and_a_connection_that_says_nothing_have_a_minute(gateway):
    head = b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    with contextlib.closing(gateway.raw(head)) as body, contextlib.closing(gateway.raw()) as silent, \
            contextlib.closing(gateway.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")) as kept:
        began = time.monotonic()
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")
        ended = {}
        while len(ended) < 3 and time.monotonic() < began + scaled(90):
            waiting = [one for one in (body, silent, kept) if one not in ended]
            for one in select.select(waiting, [], [], 1)[0]:
                ended[one] = (time.monotonic() - began, end_of(one))
            if body not in ended:
                with contextlib.suppress(ConnectionError):
                    body.send(b" ")  # a byte a second does not make the time longer
        for seconds, _ in ended.values():
            assert 55 <= seconds <= 60 + scaled(10)
        assert ended[body][1].startswith(b"HTTP/1.1 408 ") and b"REQUEST_TIMEOUT" in ended[body][1]
        assert ended[silent][1] == ended[kept][1] == b""


def test_bodies_that_never_end_have_one_room_together_and_give_it_back(gateway_daemon):
    size, sent = 24 << 20, 23 << 20
    head = b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
    with Gateway(gateway_daemon.address) as mine, contextlib.ExitStack() as connections:
        # Nine of them fit into the 224 MiB of what is not small: none of them is answered.
        for _ in range(9):
            connections.enter_context(contextlib.closing(mine.raw(head + bytes(sent))))
        with contextlib.closing(mine.raw()) as one_more:
            with contextlib.suppress(ConnectionError):  # it may be closed before all of it is sent
                one_more.sendall(head + bytes(sent))
            answer = one_more.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503 ") and b'"BUSY"' in answer and b"Retry-After: 1\r\n" in answer
        # What is small has a room of its own.
        assert mine.request("POST", "/v1/runs:execute", python_run("print(1)")).json()["stdout"] == "1\n"
        connections.close()
        assert wait_until(lambda: mine.request("POST", "/v1/runs:execute", python_run("print(1)", stdin_text="y" * (12 << 20))).status == 200, scaled(20))
        assert mine.stop() == 0
