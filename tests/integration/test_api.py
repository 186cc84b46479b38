"""Everything of RunService but Execute, and the standard services beside it."""

import re

import grpc

from support.client import request
from support.environment import scaled

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


def test_finished_run_can_be_asked_for_by_name(client):
    outcome = client.execute("raise SystemExit(5)", labels={"team": "core"})
    assert re.fullmatch(r"runs/[0-9a-f]{32}", outcome.name)
    run, _ = client.unary("GetRun", client.api.run.GetRunRequest(name=outcome.name))
    assert run.state == client.api.run.Run.FINISHED
    assert run.profile == "python"
    assert dict(run.labels) == {"team": "core"}
    assert run.result == outcome.result
    assert run.create_time.ToNanoseconds() <= run.end_time.ToNanoseconds()


def test_live_run_can_be_asked_for_by_name(client):
    call = client.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    run, _ = client.unary("GetRun", client.api.run.GetRunRequest(name=name))
    assert run.state == client.api.run.Run.RUNNING
    assert not run.HasField("result") and not run.HasField("end_time")
    call.cancel()


def test_runs_are_listed_newest_first_and_page_by_page(client):
    names = [client.execute("pass").name for _ in range(5)]
    seen = []
    token = ""
    while True:
        page, _ = client.unary("ListRuns", client.api.run.ListRunsRequest(page_size=2, page_token=token))
        assert len(page.runs) <= 2
        seen += [run.name for run in page.runs]
        token = page.next_page_token
        if not token:
            break
    assert seen[:5] == names[::-1]
    assert len(seen) == len(set(seen))


def test_new_runs_do_not_disturb_paging(client):
    names = [client.execute("pass").name for _ in range(4)]
    first, _ = client.unary("ListRuns", client.api.run.ListRunsRequest(page_size=2))
    client.execute("pass")
    second, _ = client.unary("ListRuns", client.api.run.ListRunsRequest(page_size=2, page_token=first.next_page_token))
    assert [run.name for run in [*first.runs, *second.runs]] == names[::-1]


def test_cancel_ends_a_live_run_and_its_stream_still_gets_the_result(client):
    call = client.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    run, refusal = client.unary("CancelRun", client.api.run.CancelRunRequest(name=name))
    assert refusal is None and run.name == name
    outcome = call.finish()
    assert outcome.verdict() == "CANCELED"
    assert outcome.result.ended_by == client.api.run.CLIENT


def test_cancel_of_a_finished_run_returns_it_as_it_is(client):
    outcome = client.execute("pass")
    run, _ = client.unary("CancelRun", client.api.run.CancelRunRequest(name=outcome.name))
    assert run.result == outcome.result


def test_profiles_are_listed_with_all_a_front_end_needs(client):
    response, _ = client.unary("ListProfiles", client.api.run.ListProfilesRequest())
    profiles = {profile.name: profile for profile in response.profiles}
    assert {"python", "native"} <= set(profiles)
    python = profiles["python"]
    assert python.available
    assert (python.file_extension, python.default_main_file) == (".py", "main.py")
    assert python.display_name and python.toolchain_version
    assert "run" in python.steps
    assert python.default_limits.wall_time_ms == 10_000
    assert python.ceilings.wall_time_ms == 300_000
    assert client.execute(python.hello_program).verdict() == "COMPLETED"


def test_profiles_are_paged(client):
    first, _ = client.unary("ListProfiles", client.api.run.ListProfilesRequest(page_size=1))
    assert len(first.profiles) == 1 and first.next_page_token
    second, _ = client.unary("ListProfiles", client.api.run.ListProfilesRequest(page_size=1, page_token=first.next_page_token))
    assert second.profiles[0].name != first.profiles[0].name


def test_server_info_states_versions_and_limits(client):
    info = client.info()
    assert re.match(r"\d+\.\d+\.\d+", info.version)
    assert info.api_revision
    assert info.max_request_bytes == 16 * 1024 * 1024
    assert info.max_runs > 0 and info.queue_length == 512 and info.memory_budget_bytes > 0
    assert info.cgroup_backend in ("unified", "hybrid")
    assert info.landlock_abi >= 1


def test_server_info_counts_live_runs(client):
    before = client.info().runs_active
    call = client.start(request(WAITING))
    call.until_output(b"here")
    assert client.info().runs_active == before + 1
    call.cancel()


def test_health_is_serving(client):
    health = client.api.health
    stub = client.api.health_grpc.HealthStub(client.channel)
    assert stub.Check(health.HealthCheckRequest(), timeout=scaled(10)).status == health.HealthCheckResponse.SERVING


def test_reflection_lists_the_service(client):
    reflection = client.api.reflection
    stub = client.api.reflection_grpc.ServerReflectionStub(client.channel)
    query = reflection.ServerReflectionRequest(list_services="*")
    answer = next(stub.ServerReflectionInfo(iter([query]), timeout=scaled(10)))
    names = {service.name for service in answer.list_services_response.service}
    assert {"caisson.v1.RunService", "grpc.health.v1.Health"} <= names


def test_unknown_run_is_not_found(client):
    for method, message in (("GetRun", client.api.run.GetRunRequest), ("CancelRun", client.api.run.CancelRunRequest)):
        _, refusal = client.unary(method, message(name="runs/" + "0" * 32))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "RUN_NOT_FOUND")


def test_malformed_names_and_pages_are_invalid(client):
    run = client.api.run
    table = [
        ("GetRun", run.GetRunRequest(), "name"),
        ("GetRun", run.GetRunRequest(name="0" * 32), "name"),
        ("GetRun", run.GetRunRequest(name="runs/../" + "0" * 29), "name"),
        ("CancelRun", run.CancelRunRequest(name="runs/xyz"), "name"),
        ("ListRuns", run.ListRunsRequest(page_size=-1), "page_size"),
        ("ListRuns", run.ListRunsRequest(page_token="x"), "page_token"),
        ("ListRuns", run.ListRunsRequest(filter="color = red"), "filter"),
        ("ListProfiles", run.ListProfilesRequest(page_size=-1), "page_size"),
    ]
    for method, message, field in table:
        _, refusal = client.unary(method, message)
        assert (refusal.code, refusal.reason, refusal.fields) == (
            grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", [field]), (method, message)
