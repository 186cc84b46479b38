"""Stored runs of several tenants: found, followed, listed and ended by their own tenant and an operator alone, across restarts."""

import os
import signal

import grpc
import pytest

from support import processes, stored
from support.client import Refusal, request
from support.environment import scaled
from support.tenants import NEVER_RUN, Tenants

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"
OTHERS = ("beta", "default")
SEEING = ("alpha", "watch", "operator")


@pytest.fixture(scope="module", name="tenants")
def fixture_tenants(privileged):  # pylint: disable=unused-argument
    with Tenants() as tenants:
        yield tenants


def restart(tenants):
    assert tenants.daemon.stop() == 0
    tenants.daemon.start()


def kill_dispatcher(tenants):
    old = tenants.daemon.dispatcher_pid()
    os.kill(old, signal.SIGKILL)
    assert processes.wait_until(lambda: tenants.daemon.dispatcher_pid() not in (None, old), scaled(20))
    for who in (*SEEING, *OTHERS):
        stub = tenants.client(who).stub
        info = tenants.client(who).api.run.GetServerInfoRequest()
        stub.GetServerInfo(info, timeout=scaled(20), wait_for_ready=True)


def refusal_of(call):
    with pytest.raises(grpc.RpcError) as failed:
        result = call()
        if hasattr(result, "__iter__"):
            list(result)
    return Refusal.of(failed.value)


def look_ups(client, name):
    """Every call that names a run; each as a function."""
    run, stub = client.api.run, client.stub
    far = run.FollowRunRequest.StreamOffset(stream=run.STREAM_STDOUT, offset=2 ** 40)
    return {
        "get": lambda: stub.GetRun(run.GetRunRequest(name=name), timeout=scaled(20)),
        "cancel": lambda: stub.CancelRun(run.CancelRunRequest(name=name), timeout=scaled(20)),
        "follow": lambda: stub.FollowRun(run.FollowRunRequest(name=name), timeout=scaled(20)),
        "follow from beyond its end": lambda: stub.FollowRun(run.FollowRunRequest(name=name, offsets=[far]), timeout=scaled(20)),
    }


def listed(client, filter_text="", page_size=0):
    return [run.name for run in stored.listed(client, filter_text, page_size)]


def assert_not_there(tenants, name):
    """Whatever another tenant asks, the answer is that of a run that never was."""
    for who in OTHERS:
        client = tenants.client(who)
        for what, call in look_ups(client, name).items():
            theirs, never = refusal_of(call), refusal_of(look_ups(client, NEVER_RUN)[what])
            assert (theirs.code, theirs.reason) == (grpc.StatusCode.NOT_FOUND, "RUN_NOT_FOUND"), (who, what)
            assert theirs.metadata == never.metadata and theirs.message.replace(name, "") == never.message.replace(NEVER_RUN, "")
        for filter_text in ("", "labels.team = a", "request_id = job:a", "state = FINISHED", "state != FINISHED"):
            assert name not in listed(client, filter_text), (who, filter_text)


def assert_there(tenants, name):
    for who in SEEING:
        client = tenants.client(who)
        assert stored.get(client, name).tenant == "alpha", who
        for filter_text in ("", "labels.team = a", "request_id = job:a"):
            assert name in listed(client, filter_text), (who, filter_text)


def test_another_tenant_finds_nothing_of_a_stored_run(tenants):
    alpha = tenants.client("alpha")
    run = stored.create(alpha, request(WAITING, labels={"team": "a"}, request_id="job:a"))
    assert run.tenant == "alpha"
    followed = stored.Followed(alpha, run.name)
    assert not followed.follow_until(lambda: followed.stdout == b"here\n")
    assert_not_there(tenants, run.name)
    assert_there(tenants, run.name)
    assert stored.get(alpha, run.name).state == alpha.api.run.Run.RUNNING, "nobody else's cancellation reached it"
    alpha.unary("CancelRun", alpha.api.run.CancelRunRequest(name=run.name))
    stored.wait_finished(alpha, run.name)
    for again in (lambda _: None, restart, kill_dispatcher):
        again(tenants)
        assert_not_there(tenants, run.name)
        assert_there(tenants, run.name)
        for who in SEEING:
            assert stored.Followed(tenants.client(who), run.name).follow().stdout == b"here\n", who


def test_runs_of_calls_are_stored_for_their_tenant_too(tenants):
    name = tenants.client("alpha").execute("print('held')", labels={"team": "a"}).name
    for again in (lambda _: None, restart):
        again(tenants)
        assert_not_there(tenants, name)
        assert refusal_of(look_ups(tenants.client("watch"), name)["follow"]).reason == "OUTPUT_NOT_STORED"
        assert stored.get(tenants.client("operator"), name).tenant == "alpha"


def test_one_request_id_of_two_tenants_is_two_runs_also_after_a_restart(tenants):
    same = request("print('same')", request_id="nightly")
    alpha = stored.create(tenants.client("alpha"), same).name
    beta = stored.create(tenants.client("beta"), same).name
    # Nor does another tenant's body count.
    default = stored.create(tenants.client("default"), request("print('other')", request_id="nightly")).name
    assert len({alpha, beta, default}) == 3
    for again in (lambda _: None, restart, kill_dispatcher):
        again(tenants)
        assert stored.create(tenants.client("alpha"), same).name == alpha
        assert stored.create(tenants.client("beta"), same).name == beta
        assert refusal_of(lambda: stored.create(tenants.client("default"), same)).reason == "REQUEST_ID_REUSED"
        assert listed(tenants.client("beta"), "request_id = nightly") == [beta]
        assert listed(tenants.client("operator"), "request_id = nightly") == [default, beta, alpha]
    for who, name, text in (("alpha", alpha, b"same\n"), ("default", default, b"other\n")):
        assert stored.Followed(tenants.client(who), name).follow().stdout == text


def test_run_in_flight_at_a_kill_ends_for_its_own_tenant(tenants):
    alpha = tenants.client("alpha")
    run = stored.create(alpha, request(WAITING, labels={"team": "a"}, request_id="killed"))
    followed = stored.Followed(alpha, run.name)
    assert not followed.follow_until(lambda: followed.stdout == b"here\n")
    kill_dispatcher(tenants)
    ended = stored.wait_finished(tenants.client("alpha"), run.name)
    assert (ended.tenant, ended.result.verdict) == ("alpha", alpha.api.run.SERVICE_FAILED)
    assert_not_there(tenants, run.name)


def test_observers_and_operators_create_nothing_and_follow(tenants):
    run = stored.create(tenants.client("alpha"), request("print('seen')"))
    for who in ("watch", "operator"):
        client = tenants.client(who)
        refused = refusal_of(lambda client=client: stored.create(client, request("pass", request_id="mine")))
        assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
        assert listed(client, "request_id = mine") == []
        assert stored.Followed(client, run.name).follow().stdout == b"seen\n"
    assert refusal_of(look_ups(tenants.client("watch"), run.name)["cancel"]).reason == "ROLE_NOT_ALLOWED"


def test_operator_ends_a_created_run(tenants):
    run = stored.create(tenants.client("beta"), request(WAITING))
    operator = tenants.client("operator")
    look_ups(operator, run.name)["cancel"]()
    assert stored.wait_finished(operator, run.name).result.verdict == operator.api.run.CANCELED


def test_operator_lists_everybodys_stored_runs_page_by_page(tenants):
    made = []
    for who in ("alpha", "beta", "default", "beta"):
        made.append(stored.create(tenants.client(who), request("pass", labels={"batch": "all"})).name)
        stored.wait_finished(tenants.client(who), made[-1])
    for again in (lambda _: None, restart):
        again(tenants)
        assert listed(tenants.client("operator"), "labels.batch = all", page_size=1) == made[::-1]
        assert listed(tenants.client("beta"), "labels.batch = all", page_size=1) == [made[3], made[1]]
        assert listed(tenants.client("watch"), "labels.batch = all", page_size=1) == [made[0]]


def test_page_tokens_go_on_after_a_restart_and_count_the_tenants_own_runs(tenants):
    def token(size):
        beta = tenants.client("beta")
        page, _ = beta.unary("ListRuns", beta.api.run.ListRunsRequest(page_size=size))
        return page.next_page_token

    for _ in range(3):
        tenants.client("beta").execute("pass")
    before = token(1)
    restart(tenants)
    for _ in range(5):
        tenants.client("alpha").execute("pass")
    tenants.client("beta").execute("pass")
    assert int(token(1)) == int(before) + 1
    beta = tenants.client("beta")
    older, _ = beta.unary("ListRuns", beta.api.run.ListRunsRequest(page_size=1000, page_token=before))
    assert [run.name for run in older.runs] == listed(beta)[2:]
