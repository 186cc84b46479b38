"""The admin service on the real daemon: what it does, and that nobody but those who are named can reach it."""

import json
import os
import subprocess

import grpc
import pytest

from support.admin import SERVICE, Admin, AdminDaemon, health
from support.client import Refusal, request
from support.environment import CAISSON, CAISSOND, scaled
from support.processes import wait_dead, wait_until
from support.tenants import CLOSED, NOBODY, knock

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"
BUSY = "n = 0\nwhile n < 8_000_000: n += 1"


@pytest.fixture(scope="module", name="shared")
def fixture_shared(privileged):  # pylint: disable=unused-argument
    with AdminDaemon() as shared:
        yield shared


@pytest.fixture(name="served")
def fixture_served(shared):
    """The shared daemon, which lets runs in again at the end."""
    yield shared
    shared.admin().must("Resume")


def refusals(client):
    """What each call that starts a run is refused with."""
    found = {"Execute": client.refused(request("pass")), "CreateRun": client.unary("CreateRun", request("pass"))[1]}
    opened = client.api.run.InteractRequest(open=client.api.run.InteractRequest.Open(request=request("pass")))
    with pytest.raises(grpc.RpcError) as error:
        list(client.stub.Interact(iter([opened]), timeout=scaled(30)))
    return {**found, "Interact": Refusal.of(error.value)}


# --- Drain and Resume


def test_drained_daemon_ends_what_it_has_and_lets_nothing_in(served):
    alpha, admin = served.client("alpha"), served.admin()
    working = alpha.start(request(WAITING))
    name = working.until("accepted").accepted.name
    working.until_output(b"here")
    waiting = alpha.start(request("print('at last')"))
    waiting.until("queued")
    for _ in range(2):  # idempotent
        counts = admin.must("Drain")
        assert (counts.runs_active, counts.runs_queued) == (1, 1)
    for method, refusal in refusals(alpha).items():
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN"), method
        assert refusal.retry_ms > 0, method
    # What was there goes on: looked at, ended by its owner, and the next one of the queue starts.
    run, _ = alpha.unary("GetRun", alpha.api.run.GetRunRequest(name=name))
    assert run.state == alpha.api.run.Run.RUNNING
    alpha.unary("CancelRun", alpha.api.run.CancelRunRequest(name=name))
    assert working.finish().verdict() == "CANCELED"
    outcome = waiting.finish()
    assert (outcome.verdict(), outcome.stdout) == ("COMPLETED", b"at last\n")
    counts = admin.must("Resume")
    assert (counts.runs_active, counts.runs_queued) == (0, 0)
    assert alpha.execute("pass").verdict() == "COMPLETED"


def test_health_says_whether_runs_are_let_in(served):
    admin = served.admin()
    everywhere = [served.client(name).channel for name in ("default", "alpha", "operator")] + [admin.channel]
    assert {health(channel) for channel in everywhere} == {"SERVING"}
    admin.must("Drain")
    assert {health(channel) for channel in everywhere} == {"NOT_SERVING"}
    # The admin service itself serves, and can be asked for by its name.
    assert health(admin.channel, SERVICE) == "SERVING"
    admin.must("Resume")
    assert {health(channel) for channel in everywhere} == {"SERVING"}


def test_request_id_that_has_its_run_is_answered_while_drained(served):
    alpha = served.client("alpha")
    made, _ = alpha.unary("CreateRun", request("pass", request_id="once"))
    served.admin().must("Drain")
    again, refusal = alpha.unary("CreateRun", request("pass", request_id="once"))
    assert refusal is None and again.name == made.name
    assert alpha.unary("CreateRun", request("pass", request_id="another"))[1].reason == "SHUTTING_DOWN"


def test_upload_that_is_complete_only_after_a_drain_is_refused(served):
    alpha = served.client("alpha")
    run = alpha.api.run
    messages = iter([run.InteractRequest(open=run.InteractRequest.Open(request=request("pass"), files_to_follow=1)),
                     run.InteractRequest(file=run.InteractRequest.FileChunk(path="data", data=b"x", last=True))])

    def drained_between():
        yield next(messages)
        served.admin().must("Drain")
        yield next(messages)

    with pytest.raises(grpc.RpcError) as error:
        list(alpha.stub.Interact(drained_between(), timeout=scaled(30)))
    assert Refusal.of(error.value).reason == "SHUTTING_DOWN"


def test_resume_without_a_drain_changes_nothing(served):
    served.admin().must("Resume")
    assert served.client("alpha").execute("pass").verdict() == "COMPLETED"


def test_drained_daemon_stops_like_any_other(privileged):  # pylint: disable=unused-argument
    with AdminDaemon() as own:
        own.admin().must("Drain")
        assert own.daemon.stop() == 0


def test_new_dispatcher_lets_runs_in_again(privileged):  # pylint: disable=unused-argument
    """A drain is the dispatcher's memory, and docs/admin.md says so."""
    with AdminDaemon() as own:
        own.admin().must("Drain")
        before = own.daemon.dispatcher_pid()
        os.kill(before, 9)
        assert wait_dead(before, scaled(10))
        assert own.client("alpha").execute("print('again')").stdout == b"again\n"


# --- ListTenants


def test_tenants_are_shown_with_what_their_runs_hold(served):
    alpha, admin = served.client("alpha"), served.admin()
    before = admin.tenants()
    assert sorted(before) == ["alpha", "default"]
    idle = before["default"]
    assert (idle.runs_active, idle.runs_queued, idle.memory_in_flight_bytes, idle.cpu_in_flight_millis) == (0, 0, 0, 0)
    working = alpha.start(request(WAITING, limits={"memory_bytes": 64 << 20, "cpu_millis": 500}))
    working.until_output(b"here")
    waiting = alpha.start(request("pass"))
    waiting.until("queued")
    now = admin.tenants()
    assert (now["alpha"].runs_active, now["alpha"].runs_queued, now["alpha"].cpu_in_flight_millis) == (1, 1, 500)
    assert 64 << 20 <= now["alpha"].memory_in_flight_bytes < 65 << 20
    assert (now["default"].runs_active, now["default"].runs_queued) == (0, 0)
    working.cancel()
    waiting.finish()
    assert wait_until(lambda: admin.tenants()["alpha"].runs_active == 0, scaled(10))
    assert admin.tenants()["alpha"].memory_in_flight_bytes == 0


def test_tenants_are_shown_with_what_they_stored_and_used_today(served):
    alpha, admin = served.client("alpha"), served.admin()
    before = admin.tenants()["alpha"]
    outcome = alpha.execute(BUSY)
    used = outcome.result.usage.cpu_user_ms + outcome.result.usage.cpu_system_ms
    assert used > 50
    # The record is written behind the answer.
    assert wait_until(lambda: admin.tenants()["alpha"].stored_runs == before.stored_runs + 1, scaled(10))
    after = admin.tenants()["alpha"]
    assert after.stored_bytes > before.stored_bytes
    # Unless the day ended in between, exactly.
    assert after.cpu_today_ms - before.cpu_today_ms in (used, used - before.cpu_today_ms)
    assert admin.tenants()["default"].cpu_today_ms == 0


def test_without_policies_no_quota_is_shown(served):
    alpha = served.admin().tenants()["alpha"]
    assert alpha.HasField("quotas") and alpha.quotas.ByteSize() == 0
    assert alpha.weight == 1 and alpha.policy_digest.startswith("sha256:")


def test_tenants_are_shown_with_the_quotas_in_force(privileged):  # pylint: disable=unused-argument
    own = AdminDaemon()
    folder = own.daemon.directory / "policies"
    folder.mkdir(mode=0o755)
    quotas = {"concurrent_runs": 3, "memory_in_flight_bytes": 1 << 30, "cpu_in_flight_millis": 4000, "requests_per_second": 50,
              "request_burst": 100, "queue_length": 64, "cpu_seconds_per_day": 1000, "stored_bytes": 1 << 28}
    for name, policy in {"default": {"profiles": ["*"]}, "unheard-of": {"profiles": ["python"]},
                         "alpha": {"profiles": ["python"], "weight": 2, "quotas": quotas}}.items():
        (folder / f"{name}.json").write_text(json.dumps({"schema_version": 1, "tenant": name, **policy}))
        os.chmod(folder / f"{name}.json", 0o644)
    own.daemon.config["tenants_dir"] = str(folder)
    with own:
        tenants = own.admin().tenants()
        assert sorted(tenants) == ["alpha", "default", "unheard-of"]
        shown = tenants["alpha"]
        assert {name: getattr(shown.quotas, name) for name in quotas} == quotas
        assert shown.weight == 2
        decision = own.client("alpha").execute("pass").result.decision
        assert shown.policy_digest == decision.policy_digest
        call = own.client("alpha").start(request(WAITING, limits={"cpu_time_ms": 7000}))
        call.until_output(b"here")
        assert own.admin().tenants()["alpha"].cpu_held_ms == 7000
        call.cancel()


def test_tenants_come_page_by_page(served):
    admin = served.admin()
    first = admin.must("ListTenants", page_size=1)
    assert [tenant.name for tenant in first.tenants] == ["alpha"] and first.next_page_token
    second = admin.must("ListTenants", page_size=1, page_token=first.next_page_token)
    assert [tenant.name for tenant in second.tenants] == ["default"] and not second.next_page_token


@pytest.mark.parametrize("fields, named", [({"page_size": -1}, "page_size"), ({"page_token": "x" * 65}, "page_token")])
def test_page_that_cannot_be_is_refused(served, fields, named):
    _, refusal = served.admin().call("ListTenants", **fields)
    assert (refusal.code, refusal.reason, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", [named])


def test_request_that_is_too_large_is_refused(served):
    _, refusal = served.admin().call("ListTenants", page_token="x" * 65_536)
    assert refusal.code == grpc.StatusCode.RESOURCE_EXHAUSTED


# --- Who reaches it


@pytest.mark.parametrize("name", ["default", "alpha", "operator"])
def test_listeners_of_runs_know_no_admin_service(served, name):
    elsewhere = served.admin(name)
    for method in elsewhere.api.DESCRIPTOR.services_by_name["AdminService"].methods_by_name:
        _, refusal = elsewhere.call(method)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNIMPLEMENTED, ""), method
    assert health(elsewhere.channel, SERVICE) == grpc.StatusCode.NOT_FOUND
    assert served.client("alpha").execute("pass").verdict() == "COMPLETED"


@pytest.mark.parametrize("name", ["default", "alpha", "operator"])
def test_reflection_of_a_listener_of_runs_lists_no_admin_service(served, name):
    client = served.client(name)
    reflection = client.api.reflection_grpc.ServerReflectionStub(client.channel)
    query = client.api.reflection.ServerReflectionRequest(list_services="*")
    answers = list(reflection.ServerReflectionInfo(iter([query]), timeout=scaled(10)))
    listed = {service.name for service in answers[0].list_services_response.service}
    assert "caisson.v1.RunService" in listed and SERVICE not in listed


def test_listener_of_admins_knows_nothing_else(served):
    client = served.client("admin")
    for method in client.api.run.DESCRIPTOR.services_by_name["RunService"].methods_by_name:
        call = client.channel.stream_stream(f"/caisson.v1.RunService/{method}", request_serializer=None, response_deserializer=None)
        with pytest.raises(grpc.RpcError) as error:
            list(call(iter([b""]), timeout=scaled(30)))
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED, method
    reflection = client.api.reflection_grpc.ServerReflectionStub(client.channel)
    query = client.api.reflection.ServerReflectionRequest(list_services="*")
    with pytest.raises(grpc.RpcError) as error:
        list(reflection.ServerReflectionInfo(iter([query]), timeout=scaled(10)))
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_listener_that_asks_for_tokens_knows_no_admin_service(privileged):  # pylint: disable=unused-argument
    own = AdminDaemon()
    tokens = own.daemon.directory / "tokens.json"
    tokens.write_text(json.dumps({"schema_version": 1, "tokens": []}))
    os.chmod(tokens, 0o644)
    own.daemon.config["tokens_file"] = str(tokens)
    own.daemon.config["listeners"].append({"socket": own.address("token"), "authentication": "token"})
    with own:
        _, refusal = own.admin("token").call("Drain")
        assert refusal.code == grpc.StatusCode.UNIMPLEMENTED
        assert health(own.client("alpha").channel) == "SERVING"


def test_only_the_admins_who_are_named_are_let_in(served):
    # Both files let everybody in; what counts is the kernel's word of who connected.
    assert knock(served.folder / "admin.sock", 0) == "9"
    assert knock(served.folder / "admin.sock", NOBODY) in CLOSED
    assert knock(served.folder / "theirs.sock", NOBODY) == "9"
    assert knock(served.folder / "theirs.sock", 0) in CLOSED
    _, refusal = served.admin("theirs").call("Drain")
    assert refusal.code == grpc.StatusCode.UNAVAILABLE and refusal.reason == ""
    assert health(served.client("alpha").channel) == "SERVING"


def test_admins_are_served_beside_tenants_whose_connections_are_all_taken(served):
    """A gate of its own: what clients take up there is not the admins'."""
    held = [Admin(served.address("alpha")) for _ in range(64)]
    for one in held:
        assert one.call("Drain")[1].code == grpc.StatusCode.UNIMPLEMENTED
    assert served.admin().tenants()
    for one in held:
        one.close()


def test_admins_connections_have_a_bound_and_the_newest_is_served(served):
    held = [served.admin() for _ in range(24)]
    for one in held:
        one.must("ListTenants")
    assert served.client("alpha").execute("pass").verdict() == "COMPLETED"


@pytest.mark.parametrize("listener, complaint", [
    ({"socket": "unix:/run/x/a.sock", "role": "admin"}, "listeners[0].peer_users: must be there: admins are named"),
    ({"socket": "unix:/run/x/a.sock", "role": "admin", "peer_users": ["root"], "tenant": "alpha"},
     "listeners[0].tenant: must be left out: an admin belongs to no tenant"),
    ({"socket": "unix:/run/x/a.sock", "role": "admin", "peer_users": ["root"], "authentication": "token"},
     "listeners[0].role: must be left out: each token says it"),
    ({"socket": "tcp:127.0.0.1:4000", "role": "admin", "peer_users": ["root"]}, "listeners[0].socket: must be unix: "),
    ({"socket": "127.0.0.1:4000", "role": "admin", "peer_users": ["root"]}, "listeners[0].socket: must be unix: "),
])
def test_listener_that_would_give_the_role_to_others_is_refused(tmp_path, listener, complaint):
    file = tmp_path / "caissond.json"
    file.write_text(json.dumps({"schema_version": 1, "listeners": [listener]}))
    os.chmod(file, 0o644)
    done = subprocess.run([CAISSOND, "--check-config", "--config", str(file)], capture_output=True, text=True, timeout=scaled(30),
                          check=False)
    assert done.returncode == 1
    assert any(line.startswith(f"{file}:1: {complaint}") for line in done.stderr.splitlines()), done.stderr


# --- The command line


def caisson(*arguments, **environment):
    return subprocess.run([CAISSON, *arguments], capture_output=True, text=True, timeout=scaled(30), check=False,
                          env={**os.environ, **environment})


def test_command_line_drains_and_resumes(served):
    socket = ("--socket", served.address("admin"))
    drained = caisson("admin", "drain", *socket)
    assert (drained.returncode, drained.stdout) == (0, "drained, no new runs: 0 runs active, 0 queued\n"), drained.stderr
    assert served.client("alpha").refused(request("pass")).reason == "SHUTTING_DOWN"
    resumed = caisson("admin", "resume", "--json", CAISSON_ADMIN_SOCKET=served.address("admin"))
    assert (resumed.returncode, json.loads(resumed.stdout)) == (0, {}), resumed.stderr
    assert served.client("alpha").execute("pass").verdict() == "COMPLETED"


def test_command_line_shows_tenants(served):
    socket = ("--socket", served.address("admin"))
    table = caisson("admin", "tenants", *socket).stdout.splitlines()
    assert table[0].split()[:3] == ["TENANT", "ACTIVE", "QUEUED"]
    assert [line.split()[0] for line in table[1:]] == ["alpha", "default"]
    shown = json.loads(caisson("admin", "tenants", "--json", *socket).stdout)
    assert [tenant["name"] for tenant in shown["tenants"]] == ["alpha", "default"]


@pytest.mark.parametrize("arguments, code, complaint", [
    (["drain", "--socket", "{alpha}"], 125, "name a listener with the role admin (--socket)"),
    (["drain", "--socket", "/nonexistent/admin.sock"], 125, "/nonexistent/admin.sock"),
    (["drain", "--socket", "tcp:1"], 2, "tcp:1"),
    (["halt"], 2, "halt"),
    ([], 2, "COMMAND is missing"),
])
def test_command_line_says_why_nothing_was_done(served, arguments, code, complaint):
    words = [word.replace("{alpha}", served.address("alpha")) for word in arguments]
    result = caisson("admin", *words)
    assert (result.returncode, result.stdout) == (code, "")
    assert complaint in result.stderr
