"""What a hostile or careless client sends, and the problem it gets."""

import contextlib
import json

import pytest

from support.gateway import Gateway, python_run

JSON = "application/json"


def told(gateway, data):
    """The status and the reason of the answer to bare bytes, and that the connection is closed after it."""
    with contextlib.closing(gateway.raw(data)) as connection:
        answer = b""
        while more := connection.recv(65536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["reason"]


def nested(depth):
    return b'{"profile":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize("body, reason, says", [
    (b"", "MALFORMED_JSON", "byte 1"),
    (b'{"profile":', "MALFORMED_JSON", "not JSON"),
    (b"{'profile': 1}", "MALFORMED_JSON", "not JSON"),
    (b'{"profile":"python"} x', "MALFORMED_JSON", "not JSON"),
    (b'{"profile":"\xff"}', "MALFORMED_JSON", "not JSON"),
    (b"[]", "MALFORMED_JSON", "object"),
    (b'{"profile":"a","profile":"b"}', "MALFORMED_JSON", "twice"),
    (nested(20), "MALFORMED_JSON", "16 deep"),
    (nested(1_000_000), "MALFORMED_JSON", "16 deep"),
    (b'{"args":[' + b'"",' * 20_000 + b'""]}', "MALFORMED_JSON", "16384"),
    (b'{"profil":"python"}', "INVALID_REQUEST", "no such field"),
    (b'{"files":[{"path":"a","content":"!"}]}', "INVALID_REQUEST", "content"),
    (b'{"files":[{"path":"a","text":1}]}', "INVALID_REQUEST", "files[0].text"),
    (b'{"files":[{"path":"a","text":"","content":""}]}', "INVALID_REQUEST", "beside"),
    (b'{"limits":{"pids":-1}}', "INVALID_REQUEST", "limits.pids"),
    (b'{"args":{"a":1}}', "INVALID_REQUEST", "args"),
])
def test_a_body_that_is_no_request_is_refused_with_a_reason(gateway, body, reason, says):
    answer = gateway.request("POST", "/v1/runs:execute", body)
    problem = answer.json()
    assert (answer.status, problem["reason"], problem["domain"]) == (400, reason, "gateway.caisson.dev")
    assert says in problem["detail"]


@pytest.mark.parametrize("data, status, reason", [
    (b"GET\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n" * 8, 400, "MALFORMED_HTTP"),
    (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400, "MALFORMED_HTTP"),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431, "HEADERS_TOO_LARGE"),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + b"X: 1\r\n" * 70 + b"\r\n", 431, "HEADERS_TOO_LARGE"),
    (b"GET /healthz HTTP/1.1\r\nHost: rebound.example.org\r\nConnection: close\r\n\r\n", 421, "HOST_NOT_ALLOWED"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n", 413, "BODY_TOO_LARGE"),
    (b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n", 415, "UNSUPPORTED_MEDIA_TYPE"),
])
def test_bytes_that_are_no_request_are_refused_and_the_connection_closed(gateway, data, status, reason):
    assert told(gateway, data) == (status, reason)


def chunked(body, trailer=b""):
    head = b"POST /v1/runs:execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: Chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, trailer)


def test_headers_behind_a_body_are_refused(gateway):
    """They would come after the head was looked at: a token that no proxy saw, say."""
    body = json.dumps(python_run("print(1)")).encode()
    assert told(gateway, chunked(body, b"Authorization: Bearer x\r\n")) == (400, "MALFORMED_HTTP")
    with contextlib.closing(gateway.raw(chunked(body))) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_an_answer_to_head_has_no_body(gateway):
    with contextlib.closing(gateway.raw(b"HEAD /v1/server HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) as connection:
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 405 ") and answer.endswith(b"\r\n\r\n") and answer.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize("method, path, status, reason", [
    ("GET", "/", 404, "NO_SUCH_ROUTE"),
    ("GET", "/v1/runs/../server", 404, "NO_SUCH_ROUTE"),
    ("GET", "/v1/runs/" + "G" * 32, 404, "NO_SUCH_ROUTE"),
    ("GET", "/v1/runs%3aexecute", 404, "NO_SUCH_ROUTE"),
    ("DELETE", "/v1/runs", 405, "METHOD_NOT_ALLOWED"),
    ("GET", "/v1/runs?page_size=x", 400, "INVALID_QUERY"),
    ("GET", "/v1/runs?filter=%ff", 400, "INVALID_QUERY"),
    ("GET", "/v1/runs?filter=%4", 400, "INVALID_QUERY"),
    ("GET", "/v1/runs?page_size=1&page_size=2", 400, "INVALID_QUERY"),
    ("GET", "/v1/server?x=1", 400, "INVALID_QUERY"),
])
def test_a_target_that_is_none_is_refused(gateway, method, path, status, reason):
    answer = gateway.request(method, path)
    assert (answer.status, answer.json()["reason"]) == (status, reason)


def test_a_method_of_another_path_is_told_which_there_are(gateway):
    assert gateway.request("DELETE", "/v1/runs").headers["allow"] == "POST, GET"


def test_an_answer_that_nobody_accepts_is_not_begun(gateway):
    answer = gateway.request("POST", "/v1/runs:execute", python_run("pass"), Accept="image/png")
    assert (answer.status, answer.json()["reason"]) == (406, "NOT_ACCEPTABLE")


def test_pages_of_other_origins_get_nothing(gateway):
    answer = gateway.request("POST", "/v1/runs:execute", python_run("pass"), Origin="https://evil.example.org")
    assert (answer.status, answer.json()["reason"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert "access-control-allow-origin" not in answer.headers
    assert gateway.request("GET", "/healthz", Origin="null").status == 403


def test_pages_of_an_allowed_origin_are_served(gateway):
    ours = "https://play.example.org"
    asked = gateway.request("OPTIONS", "/v1/runs:execute", Origin=ours, Access_Control_Request_Method="POST")
    assert asked.status == 204 and asked.headers["access-control-allow-methods"] == "POST"
    answer = gateway.request("POST", "/v1/runs:execute", python_run("print(1)"), Origin=ours)
    assert answer.status == 200 and answer.headers["access-control-allow-origin"] == ours and answer.headers["vary"] == "Origin"


def test_a_connection_serves_one_request_after_another(gateway):
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with contextlib.closing(gateway.raw(one + one + last)) as connection:
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.count(b"HTTP/1.1 200 OK") == 3


def test_connections_beyond_the_bound_are_told_and_places_come_back(gateway_daemon):
    with Gateway(gateway_daemon.address, "--max-connections-per-address", "2") as small:
        # In the middle of a request: one that waits for its next would give its place up.
        held = [small.raw(b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
                          b"Expect: 100-continue\r\n\r\n") for _ in range(2)]
        assert all(connection.recv(65536).startswith(b"HTTP/1.1 100 ") for connection in held)
        assert small.request("GET", "/healthz").status == 503
        for connection in held:
            connection.close()
        while small.request("GET", "/healthz").status == 503:
            pass
