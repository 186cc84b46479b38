"""Clients that send too slowly: told, cut off, and at nobody else's cost."""

import contextlib

import pytest


@pytest.mark.early
def test_a_head_that_never_ends_is_told_and_the_connection_closed(gateway):
    with contextlib.closing(gateway.raw(b"GET /healthz HTTP/1.1\r\nHost: loc")) as connection:
        assert gateway.request("GET", "/healthz").status == 200
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 408 ") and b"REQUEST_TIMEOUT" in answer
