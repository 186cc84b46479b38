"""Tokens over HTTP: the gateway hands a client's Authorization on, and the daemon judges it."""

import contextlib

import pytest

from support.daemon import Daemon
from support.gateway import Gateway, python_run
from support.tokens import UNKNOWN, Tokens, bearer
from support.web_socket import SUBPROTOCOL, Talk

ORIGIN = "https://play.example.org"


@pytest.fixture(scope="module", name="place")
def fixture_place(privileged):  # pylint: disable=unused-argument
    """(gateway, tokens, alpha's token, beta's)."""
    daemon = Daemon(profiles=["python"], ready_sandboxes=0)
    tokens = Tokens(daemon, mode="0666")
    alpha, beta = tokens.add("alpha"), tokens.add("beta")
    tokens.write()
    with daemon, Gateway(tokens.address, "--allow-origin", ORIGIN) as gateway:
        yield gateway, tokens, alpha, beta
        assert gateway.stop() == 0
        for token in (alpha, beta):
            assert token[21:] not in "".join(gateway.log + daemon.log)


def test_each_request_belongs_to_the_tenant_of_its_token(place):
    gateway, _, alpha, beta = place
    told = [gateway.request("GET", "/v1/server", Authorization=bearer(token)).json()["tenant"] for token in (alpha, beta, alpha)]
    assert told == ["alpha", "beta", "alpha"]
    ran = gateway.request("POST", "/v1/runs:execute", python_run("print('hello')"), Authorization=bearer(alpha))
    assert ran.status == 200
    created = gateway.request("POST", "/v1/runs", python_run("print('kept')"), Authorization=bearer(alpha)).json()
    path = f"/v1/{created['name']}"
    assert gateway.request("GET", path, Authorization=bearer(alpha)).status == 200
    assert gateway.request("GET", path, Authorization=bearer(beta)).status == 404
    assert gateway.request("GET", path + ":follow", Authorization=bearer(beta), Accept="text/event-stream").status == 404
    events = gateway.request("GET", path + ":follow", Authorization=bearer(alpha), Accept="text/event-stream").events()
    assert events[-1][0] == "finished"


@pytest.mark.parametrize("header, reason", [
    (None, "TOKEN_MISSING"), ("Bearer x", "TOKEN_MALFORMED"), ("Basic YTpi", "TOKEN_MALFORMED"), ("Bearer " + "a" * 1000, "TOKEN_MALFORMED"),
    ("Bearer caf\xe9", "TOKEN_MALFORMED"), (bearer(UNKNOWN), "TOKEN_NOT_VALID")])
@pytest.mark.parametrize("method, path", [("GET", "/v1/server"), ("POST", "/v1/runs:execute"), ("POST", "/v1/runs")])
def test_request_without_a_token_that_holds_is_401(place, header, reason, method, path):
    gateway = place[0]
    fields = {} if header is None else {"Authorization": header.encode("latin-1")}
    body = python_run("pass") if method == "POST" else None
    for accept in ("application/json", "text/event-stream"):
        if accept != "application/json" and path != "/v1/runs:execute":
            continue
        answer = gateway.request(method, path, body, Accept=accept, **fields)
        assert (answer.status, answer.json()["reason"]) == (401, reason)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_two_authorizations_are_malformed(place):
    gateway, _, alpha, beta = place
    head = f"GET /v1/server HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {bearer(alpha)}\r\nAuthorization: {bearer(beta)}\r\n\r\n"
    with contextlib.closing(gateway.raw(head.encode())) as connection:
        answer = b""
        while more := connection.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 401 ") and b"TOKEN_MALFORMED" in answer


@pytest.mark.parametrize("how", ["header", "subprotocol"])
def test_interactive_run_belongs_to_the_tenant_of_its_token(place, how):
    """A page's WebSocket has no headers of its own: it offers the token as one more subprotocol."""
    gateway, _, alpha, beta = place
    shown = {"header": [f"Authorization: {bearer(alpha)}"]} if how == "header" else {"subprotocols": (SUBPROTOCOL, f"caisson.bearer.{alpha}")}
    with Talk(gateway, **shown) as talk:
        talk.open("print('hello')")
        assert talk.result()["verdict"] == "COMPLETED"
        assert talk.connection.getsubprotocol() == SUBPROTOCOL
        path = "/v1/" + dict(talk.events)["accepted"]["name"]
    assert gateway.request("GET", path, Authorization=bearer(alpha)).status == 200
    assert gateway.request("GET", path, Authorization=bearer(beta)).status == 404


@pytest.mark.parametrize("offered, reason", [
    ([], "TOKEN_MISSING"), (["caisson.bearer."], "TOKEN_MALFORMED"), ([f"caisson.bearer.{UNKNOWN}"], "TOKEN_NOT_VALID"),
    (["caisson.bearer." + "a" * 1_000], "TOKEN_MALFORMED"),
], ids=["none", "empty", "unknown", "long"])
def test_interactive_run_without_a_token_that_holds_is_refused(place, offered, reason):
    with Talk(place[0], subprotocols=(SUBPROTOCOL, *offered)) as talk:
        talk.open("pass")
        problem = talk.problem()
    assert (problem["status"], problem["reason"], talk.code) == (401, reason, 1008)


def test_header_goes_before_a_subprotocol(place):
    gateway, _, alpha, _ = place
    with Talk(gateway, header=["Authorization: Bearer x"], subprotocols=(SUBPROTOCOL, f"caisson.bearer.{alpha}")) as talk:
        talk.open("pass")
        assert talk.problem()["reason"] == "TOKEN_MALFORMED"


def test_pistons_calls_show_their_token_too(place):
    gateway, _, alpha, _ = place
    body = {"language": "python", "version": "*", "files": [{"content": "print('hello')"}]}
    assert gateway.request("POST", "/api/v2/execute", body, Authorization=bearer(alpha)).json()["run"]["stdout"] == "hello\n"
    assert gateway.request("POST", "/api/v2/execute", body).status == 401


def test_health_needs_no_token(place):
    assert place[0].request("GET", "/healthz").json() == {"status": "SERVING"}


def test_pages_of_allowed_origins_may_show_a_token(place):
    answer = place[0].request("OPTIONS", "/v1/runs:execute", Origin=ORIGIN, Access_Control_Request_Method="POST",
                              Access_Control_Request_Headers="authorization")
    assert answer.status == 204
    assert "Authorization" in answer.headers["access-control-allow-headers"].split(", ")
