"""Bearer tokens on the real daemon: one socket, several tenants, and nothing for those who show none that holds."""

import json
import os
import pathlib
import re
import socket
import subprocess

import grpc
import pytest

from support.client import Client, Refusal, request
from support.daemon import Daemon, DaemonFailed
from support.environment import CAISSON, scaled
from support.processes import wait_until
from support.tenants import NEVER_RUN
from support.tokens import UNKNOWN, Tokens, bearer, entry, in_seconds, new_token

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"
METHODS = ["Execute", "Interact", "CreateRun", "FollowRun", "GetRun", "ListRuns", "CancelRun", "ListProfiles", "GetServerInfo"]


class Known:
    """A daemon's tokens: alpha's, beta's, one that looks at alpha's runs only, one that has expired."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.alpha = tokens.add("alpha")
        self.beta = tokens.add("beta")
        self.watch = tokens.add("alpha", role="observe")
        self.expired = tokens.add("alpha", expires=in_seconds(-1))
        tokens.write()


@pytest.fixture(scope="module", name="known")
def fixture_known(privileged):  # pylint: disable=unused-argument
    daemon = Daemon(profiles=["python"])
    daemon.config["metrics"] = f"unix:{daemon.directory}/socket/metrics.sock"
    known = Known(Tokens(daemon))
    with daemon:
        yield known
        known.tokens.close()
        assert daemon.runs_are_gone()


@pytest.fixture(name="own")
def fixture_own(make_daemon):
    """Tokens of a daemon that is not started yet."""
    tokens = Tokens(make_daemon(start=False, profiles=["python"]))
    yield tokens
    tokens.close()


def names(client):
    listed, refusal = client.unary("ListRuns", client.api.run.ListRunsRequest(page_size=1000))
    assert refusal is None
    return [run.name for run in listed.runs]


def refusal_of(client, method):
    """What a call of this method is refused with; None if it is not. The request is one that would do nothing."""
    kind = client.api.run.DESCRIPTOR.services_by_name["RunService"].methods_by_name[method].input_type.name
    message = getattr(client.api.run, kind)()
    if kind in ("GetRunRequest", "CancelRunRequest", "FollowRunRequest"):
        message.name = NEVER_RUN
    argument = iter([]) if method == "Interact" else message
    try:
        answer = getattr(client.stub, method)(argument, timeout=scaled(30))
        if method in ("Execute", "Interact", "FollowRun"):
            list(answer)
    except grpc.RpcError as error:
        return Refusal.of(error)
    return None


def test_token_says_tenant_and_role(known):
    told = [(info.tenant, info.role) for token in (known.alpha, known.beta, known.watch)
            for info in [known.tokens.client(token).info()]]
    assert told == [("alpha", "run"), ("beta", "run"), ("alpha", "observe")]


def test_tenants_by_token_on_one_socket_do_not_see_each_other(known):
    alpha, beta = known.tokens.client(known.alpha), known.tokens.client(known.beta)
    call = alpha.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    for method in ("GetRun", "CancelRun"):
        kind = getattr(beta.api.run, f"{method}Request")
        theirs, never = (beta.unary(method, kind(name=which))[1] for which in (name, NEVER_RUN))
        assert theirs.code == never.code == grpc.StatusCode.NOT_FOUND
        assert (theirs.reason, theirs.metadata) == (never.reason, never.metadata)
    assert name in names(alpha) and name not in names(beta)
    assert (alpha.info().runs_active, beta.info().runs_active) == (1, 0)
    # The observer's token looks, on the same socket, and does nothing.
    watch = known.tokens.client(known.watch)
    assert name in names(watch)
    assert refusal_of(watch, "CancelRun").reason == "ROLE_NOT_ALLOWED"
    call.cancel()


def test_one_connection_carries_calls_of_several_tenants(known):
    client = known.tokens.showing()
    told = [client.stub.GetServerInfo(client.api.run.GetServerInfoRequest(), timeout=scaled(10),
                                      metadata=[("authorization", bearer(token))]).tenant
            for token in (known.alpha, known.beta, known.alpha)]
    assert told == ["alpha", "beta", "alpha"]


def test_every_method_of_the_api_asks_for_a_token(known):
    service = known.tokens.showing().api.run.DESCRIPTOR.services_by_name["RunService"]
    assert sorted(METHODS) == sorted(service.methods_by_name)


@pytest.mark.parametrize("method", METHODS)
def test_call_without_a_token_that_holds_is_refused(known, method):
    wrong = known.alpha[:-1] + ("A" if known.alpha[-1] != "A" else "B")
    told = {}
    for what, headers in {
            "missing": [], "malformed": ["Bearer x"], "truncated": [bearer(known.alpha[:-1])], "scheme": [f"Basic {known.alpha}"],
            "oversized": [bearer("a" * 300)], "two": [bearer(known.alpha), bearer(known.beta)],
            "unknown": [bearer(new_token())], "wrong": [bearer(wrong)], "expired": [bearer(known.expired)]}.items():
        refusal = refusal_of(known.tokens.showing(*headers), method)
        assert refusal.code == grpc.StatusCode.UNAUTHENTICATED, what
        assert refusal.metadata == {}
        told[what] = refusal.reason
    malformed = dict.fromkeys(["malformed", "truncated", "scheme", "oversized", "two"], "TOKEN_MALFORMED")
    assert told == {"missing": "TOKEN_MISSING", **malformed, "unknown": "TOKEN_NOT_VALID", "wrong": "TOKEN_NOT_VALID",
                    "expired": "TOKEN_EXPIRED"}


def test_unknown_and_wrong_tokens_get_the_same_answer(known):
    wrong = known.alpha[:21] + new_token()[21:]
    answers = [refusal_of(known.tokens.showing(bearer(token)), "GetServerInfo") for token in (wrong, new_token())]
    assert answers[0] == answers[1]


def test_token_is_of_no_use_where_the_socket_says_who_calls(known):
    client = known.tokens.client(known.alpha)
    here = Client(known.tokens.daemon.address)
    assert here.stub.GetServerInfo(client.api.run.GetServerInfoRequest(), timeout=scaled(10),
                                   metadata=[("authorization", bearer(known.alpha))]).tenant == "default"
    here.close()


def test_health_and_reflection_need_no_token(known):
    client = known.tokens.showing()
    health = client.api.health_grpc.HealthStub(client.channel)
    assert health.Check(client.api.health.HealthCheckRequest(), timeout=scaled(10)).status == client.api.health.HealthCheckResponse.SERVING
    reflection = client.api.reflection_grpc.ServerReflectionStub(client.channel)
    query = client.api.reflection.ServerReflectionRequest(list_services="*")
    answers = list(reflection.ServerReflectionInfo(iter([query]), timeout=scaled(10)))
    assert "caisson.v1.RunService" in {service.name for service in answers[0].list_services_response.service}


def scraped(daemon):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(scaled(10))
        connection.connect(daemon.config["metrics"].removeprefix("unix:"))
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        page = b""
        while more := connection.recv(65536):
            page += more
    text = page.decode()
    counts = re.findall(r'^caisson_calls_unauthenticated_total\{reason="(\w+)"\} (\d+)', text, re.MULTILINE)
    return {reason: int(count) for reason, count in counts}, text


def test_flood_of_wrong_tokens_is_counted_and_does_not_fill_the_log(known):
    daemon = known.tokens.daemon
    good = known.tokens.client(known.alpha)
    call = good.start(request(WAITING))
    call.until_output(b"here")
    before, _ = scraped(daemon)
    lines = len(daemon.log)
    flood = known.tokens.showing()
    wrong = [new_token() for _ in range(1000)]
    calls = [flood.stub.GetServerInfo.future(flood.api.run.GetServerInfoRequest(), timeout=scaled(60),
                                             metadata=[("authorization", bearer(token))]) for token in wrong]
    # Beside it the good one is served.
    assert good.execute("print('still')").stdout == b"still\n"
    assert {one.exception(timeout=scaled(60)).code() for one in calls} == {grpc.StatusCode.UNAUTHENTICATED}
    after, page = scraped(daemon)
    assert after["TOKEN_NOT_VALID"] - before["TOKEN_NOT_VALID"] == 1000
    told = [line for line in daemon.log[lines:] if "event=token_refused" in line]
    assert len(told) <= 1 + scaled(60) // 10
    call.cancel()
    # Nothing of any token is anywhere.
    everything = "".join(daemon.log) + page
    for token in [*wrong, known.alpha, known.beta, known.watch, known.expired]:
        assert token[21:] not in everything and token[8:20] not in everything


def test_dispatcher_holds_digests_and_not_tokens(known):
    """Whoever takes it over cannot become anybody's client later: of a token that was never shown it has nothing."""
    tokens = known.tokens
    unseen = tokens.add("gamma")
    tokens.write()
    tokens.reload()
    assert wait_until(lambda: any("5 tokens" in line and "policies: " in line for line in tokens.daemon.log), scaled(10))
    needles = (unseen.encode(), unseen[21:].encode())
    pid = tokens.daemon.dispatcher_pid()
    found = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="ascii").splitlines():
            if not re.match(r"\S+ rw", line):
                continue
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            while start < end:
                memory.seek(start)
                try:
                    piece = memory.read(min(end - start, 1 << 24))
                except OSError:
                    break
                found += b"digest" if bytes(unseen[8:20], "ascii") in piece else b""
                assert not any(needle in piece for needle in needles)
                start += max(len(piece), 1)
    # The search would have found it: the id is there.
    assert found


def test_reload_takes_tokens_away_and_adds_them_and_streams_go_on(own):
    old = own.add("alpha")
    own.write()
    own.daemon.start()
    client = own.client(old)
    call = client.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    own.entries.clear()
    new = own.add("alpha")
    own.write()
    own.reload()
    assert wait_until(lambda: refusal_of(client, "GetServerInfo") is not None, scaled(10))
    assert refusal_of(client, "GetServerInfo").reason == "TOKEN_NOT_VALID"
    after = own.client(new)
    assert wait_until(lambda: refusal_of(after, "GetServerInfo") is None, scaled(10))
    # The stream of the token that is gone goes on; only the tenant's own can end its run now.
    assert after.unary("CancelRun", after.api.run.CancelRunRequest(name=name))[1] is None
    assert call.finish().verdict() == "CANCELED"


def test_token_expires_while_the_daemon_runs(own):
    token = own.add("alpha", expires=in_seconds(3))
    own.write()
    own.daemon.start()
    client = own.client(token)
    assert wait_until(lambda: refusal_of(client, "GetServerInfo") is not None, scaled(20))
    assert refusal_of(client, "GetServerInfo").reason == "TOKEN_EXPIRED"


@pytest.mark.parametrize("text, complaint", [
    ("{", "tokens.json:1: is not JSON"),
    (json.dumps({"schema_version": 1, "tokens": [], UNKNOWN: 1}), "tokens.json:1: document: unknown key"),
    (f'{{"schema_version": 1, "{UNKNOWN}": 1, "{UNKNOWN}": 2}}', "tokens.json:1: duplicate key"),
    (f'{{"schema_version": 1, "tokens": ["{UNKNOWN}', "tokens.json:1: is not JSON"),
    ('{"schema_version": 1}', "tokens.json:1: tokens: is missing"),
    (json.dumps({"schema_version": 1, "tokens": [{**entry(UNKNOWN, "alpha", expires="2099-01-01T00:00:00Z"), "role": "operator"}]}),
     "tokens.json:1: tokens[0].role: must be run or observe: operators are named at a socket of theirs"),
    (json.dumps({"schema_version": 1, "tokens": [{**entry(UNKNOWN, "alpha", expires="2099-01-01T00:00:00Z"), "sha256": "0"}]}),
     "tokens.json:1: tokens[0].sha256: must be 64 lower-case hex digits"),
])
def test_token_file_with_a_fault_changes_nothing(own, text, complaint):
    token = own.add("alpha")
    own.write()
    own.daemon.start()
    own.write(text)
    own.reload("not reloaded, what was in force stays")
    assert wait_until(lambda: any(complaint in line for line in own.daemon.log), scaled(5)), own.daemon.log
    # Somebody may have put a token where its digest belongs, or anywhere else.
    assert UNKNOWN[:21] not in "".join(own.daemon.log)
    assert own.client(token).info().tenant == "alpha"


def test_token_file_that_others_may_write_changes_nothing(own):
    token = own.add("alpha")
    own.write()
    own.daemon.start()
    own.entries.clear()
    own.write()
    os.chmod(own.file, 0o666)
    own.reload("not reloaded, what was in force stays")
    assert own.client(token).info().tenant == "alpha"


def test_fault_in_the_tokens_keeps_the_policies_of_the_same_reload_out(own):
    folder = own.daemon.directory / "policies"
    folder.mkdir(mode=0o755)

    def policy(tenant, profiles):
        (folder / f"{tenant}.json").write_text(json.dumps({"schema_version": 1, "tenant": tenant, "profiles": profiles}))
        os.chmod(folder / f"{tenant}.json", 0o644)

    own.daemon.config["tenants_dir"] = str(folder)
    policy("default", ["*"])
    policy("alpha", ["python"])
    token = own.add("alpha")
    own.write()
    own.daemon.start()
    policy("alpha", ["nothing"])
    own.add("nobody")
    own.write()
    own.reload("not reloaded, what was in force stays")
    assert wait_until(lambda: any("nobody.json: is missing, or abstract: there is a token for this tenant" in line
                                  for line in own.daemon.log), scaled(5))
    assert own.client(token).execute("pass").verdict() == "COMPLETED"


def test_tokens_are_those_of_the_next_dispatcher_too(own):
    own.write()
    own.daemon.start()
    token = own.add("alpha")
    own.write()
    own.reload()
    before = own.daemon.dispatcher_pid()
    os.kill(before, 9)
    assert wait_until(lambda: own.daemon.dispatcher_pid() not in (None, before), scaled(10))
    client = own.client(token)
    assert wait_until(lambda: refusal_of(client, "GetServerInfo") is None, scaled(10))
    assert client.info().tenant == "alpha"


@pytest.mark.parametrize("prepare, complaint", [
    (lambda tokens: None, "tokens.json"),
    (lambda tokens: (tokens.write(), os.chmod(tokens.file, 0o666)), "lets others write"),
    (lambda tokens: (tokens.write(), os.chown(tokens.file, 1234, 0)), "belongs to uid 1234, must be root's"),
])
def test_token_file_that_cannot_be_trusted_keeps_caissond_from_starting(own, prepare, complaint):
    prepare(own)
    with pytest.raises(DaemonFailed) as failed:
        own.daemon.start()
    assert complaint in "".join(failed.value.log)


def caisson(*arguments, **environment):
    return subprocess.run([CAISSON, *map(str, arguments)], capture_output=True, text=True, timeout=scaled(30), check=False,
                          env={**os.environ, **environment})


def test_command_line_makes_shows_and_revokes_tokens(own, tmp_path):
    made = caisson("token", "create", "--tenant", "alpha", "--expires", "1d", "--note", "the site", "--file", own.file)
    assert made.returncode == 0, made.stderr
    token = made.stdout.removesuffix("\n")
    assert token not in own.file.read_text() and token[21:] not in made.stderr
    own.daemon.start()
    secret = tmp_path / "secret"
    secret.write_text(made.stdout)
    os.chmod(secret, 0o600)
    version = caisson("version", "--socket", own.address, "--token-file", secret)
    assert ", as tenant alpha, role run" in version.stdout, version.stderr
    program = tmp_path / "hello.py"
    program.write_text("print('hello')")
    ran = caisson("run", program, CAISSON_SOCKET=own.address, CAISSON_TOKEN_FILE=str(secret))
    assert (ran.returncode, ran.stdout) == (0, "hello\n")
    without = caisson("version", "--socket", own.address)
    assert without.returncode != 0 or "this socket wants a token" in without.stdout + without.stderr
    os.chmod(secret, 0o644)
    loose = caisson("ps", "--socket", own.address, "--token-file", secret)
    assert loose.returncode == 2 and "others can use it: chmod 600" in loose.stderr
    listed = caisson("token", "list", "--file", own.file).stdout.splitlines()
    assert [line.split() for line in listed][1][:3] == [token[8:20], "alpha", "run"] and listed[1].endswith("the site")
    revoked = caisson("token", "revoke", token[8:20], "--file", own.file)
    assert revoked.returncode == 0 and "revoked" in revoked.stdout
    own.reload()
    client = own.client(token)
    assert wait_until(lambda: refusal_of(client, "GetServerInfo") is not None, scaled(10))


@pytest.mark.parametrize("arguments, code, complaint", [
    (["create", "--tenant", "alpha"], 2, "--expires"),
    (["create", "--expires", "1d"], 2, "--tenant"),
    (["create", "--tenant", "alpha", "--expires", "never"], 2, "--expires must be"),
    (["create", "--tenant", "alpha", "--expires", "1d", "--role", "operator"], 2, "must be run or observe"),
    (["create", "--tenant", "Alpha", "--expires", "1d"], 1, "must be a lower-case letter"),
    (["create", "--tenant", "alpha", "--expires", "1d", "--note", "a\nb"], 1, "printable characters"),
    (["revoke", "0123456789ab", "--file", "/nonexistent/tokens.json"], 125, "/nonexistent"),
    (["list", "--file", "/nonexistent/tokens.json"], 125, "/nonexistent"),
])
def test_command_line_refuses_what_is_no_token(arguments, code, complaint):
    result = caisson("token", *arguments)
    assert (result.returncode, result.stdout) == (code, "")
    assert complaint in result.stderr


def test_command_line_does_not_repeat_a_token_given_for_an_id(tmp_path):
    token = new_token()
    result = caisson("token", "revoke", token, "--file", tmp_path / "tokens.json")
    assert result.returncode == 2 and token not in result.stderr
