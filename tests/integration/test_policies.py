"""Tenants' policies on the real daemon: what each may have, and what happens when they change."""

import json
import os
import signal
import subprocess
import threading
import time

import grpc
import pytest

from support import stored
from support.client import Client, Refusal, request
from support.daemon import DaemonFailed
from support.environment import CAISSON, scaled
from support.processes import wait_until

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


class Policies:
    """A daemon whose tenants `alpha` and `default` have policies in files that a test can change."""

    def __init__(self, make_daemon, alpha, start=True, **others):
        self.daemon = make_daemon(start=False, profiles=["python", "bash"])
        self.folder = self.daemon.directory / "policies"
        self.folder.mkdir(mode=0o755)
        self.address = f"unix:{self.daemon.directory}/tenants/alpha.sock"
        self.daemon.config["tenants_dir"] = str(self.folder)
        self.daemon.config["listeners"] = [{"socket": self.address, "tenant": "alpha"}]
        for name, members in {"default": {"profiles": ["*"]}, "alpha": alpha, **others}.items():
            self.write(name, members)
        if start:
            self.daemon.start()

    def write(self, name, members):
        text = members if isinstance(members, str) else json.dumps({"schema_version": 1, "tenant": name, **members})
        path = self.folder / f"{name}.json"
        path.write_text(text)
        os.chmod(path, 0o644)

    def reload(self, word):
        """SIGHUP; returns the line of the log that has `word`, and came after it."""
        before = len(self.daemon.log)
        self.daemon.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: any(word in line for line in self.daemon.log[before:]), scaled(10)), self.daemon.log[before:]
        return next(line for line in self.daemon.log[before:] if word in line)


@pytest.fixture(name="connect")
def fixture_connect():
    clients = []

    def connect(address):
        clients.append(Client(address))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def test_profile_that_is_not_allowed_is_refused_and_not_listed(make_daemon, connect):
    policies = Policies(make_daemon, {"extends": "base"}, base={"abstract": True, "profiles": ["python"]})
    alpha, default = connect(policies.address), connect(policies.daemon.address)
    refusal = alpha.refused(request("echo", "bash", main_file=None))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.PERMISSION_DENIED, "PROFILE_NOT_ALLOWED")
    assert refusal.metadata["rule"] == "base/profiles" and refusal.metadata["profile"] == "bash"
    assert len(refusal.metadata["decision"]) == 16 and refusal.metadata["policy_digest"].startswith("sha256:")
    assert wait_until(lambda: any(refusal.metadata["decision"] in line for line in policies.daemon.log), scaled(5))

    def names(client):
        listed, _ = client.unary("ListProfiles", client.api.run.ListProfilesRequest())
        return [profile.name for profile in listed.profiles]
    assert names(alpha) == ["python"]
    assert set(names(default)) >= {"python", "bash"}


def test_limit_above_the_tenants_ceiling_is_refused_by_its_rule(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["*"], "ceilings": {"wall_time_ms": 2000, "pids": 20}})
    alpha = connect(policies.address)
    refusal = alpha.refused(request("pass", limits={"wall_time_ms": 2001}))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.PERMISSION_DENIED, "LIMIT_NOT_ALLOWED")
    assert refusal.metadata["limit"] == "wall_time_ms" and refusal.metadata["ceiling"] == "2000"
    assert refusal.metadata["rule"] == "alpha/ceilings.wall_time_ms"
    assert alpha.execute("pass", limits={"wall_time_ms": 2000}).verdict() == "COMPLETED"
    # The profile's default of ten seconds is nobody's wish, and comes down.
    outcome = alpha.execute("import time; time.sleep(30)")
    assert outcome.verdict() == "WALL_TIME_LIMIT" and outcome.result.limit.limit == 2000
    listed, _ = alpha.unary("ListProfiles", alpha.api.run.ListProfilesRequest())
    assert {profile.ceilings.wall_time_ms for profile in listed.profiles} == {2000}
    # Beyond the profile's own ceiling it is as wrong as ever.
    assert alpha.refused(request("pass", limits={"wall_time_ms": 10**12})).reason == "INVALID_REQUEST"


def test_result_names_the_decision_that_let_the_run_in(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["python"]})
    one = connect(policies.address).execute("pass").result.decision
    two = connect(policies.address).execute("pass").result.decision
    assert one.rule == two.rule == "alpha/profiles"
    assert one.policy_digest == two.policy_digest and one.policy_digest.startswith("sha256:")
    assert one.id != two.id and len(one.id) == 16


def test_rate_is_held_after_its_burst_and_says_when_to_come_back(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["*"], "quotas": {"requests_per_second": 1, "request_burst": 3}})
    alpha = connect(policies.address)
    assert alpha.execute("pass").verdict() == "COMPLETED"
    # What is refused for something else counts too, and takes no time in which the rate would let more through.
    begun, let = time.monotonic(), 0
    while (refused := alpha.refused(request("pass", limits={"pids": 0}))).reason == "INVALID_REQUEST":
        let += 1
    assert 2 <= let <= 3 + time.monotonic() - begun
    assert (refused.code, refused.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED")
    assert refused.metadata["quota"] == "requests_per_second" and 0 < refused.retry_ms <= 1000
    # The others are not concerned.
    default = connect(policies.daemon.address)
    for _ in range(5):
        assert default.execute("pass").verdict() == "COMPLETED"


def test_no_more_runs_than_the_quota_are_at_work_at_a_time(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["*"], "quotas": {"concurrent_runs": 2, "queue_length": 3}})
    alpha = connect(policies.address)
    reasons, most, lock = [], [0], threading.Lock()
    done = threading.Event()

    def watch():
        while not done.is_set():
            most[0] = max(most[0], alpha.info().runs_active)

    def one():
        try:
            outcome = alpha.execute("import time; time.sleep(0.3)")
            with lock:
                reasons.append(outcome.verdict())
        except grpc.RpcError as error:
            refusal = Refusal.of(error)
            with lock:
                reasons.append(refusal.metadata.get("quota", refusal.reason))

    watcher = threading.Thread(target=watch)
    watcher.start()
    threads = [threading.Thread(target=one) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    watcher.join()
    assert most[0] == 2
    assert set(reasons) == {"COMPLETED", "queue_length"}
    assert reasons.count("COMPLETED") >= 5


def test_cpu_time_of_a_day_is_never_exceeded(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["*"], "quotas": {"cpu_seconds_per_day": 2}})
    alpha = connect(policies.address)
    spin = "import time\nwhile time.process_time() < 0.6: pass"
    used = 0
    for _ in range(10):
        try:
            outcome = alpha.execute(spin, limits={"cpu_time_ms": 1000})
        except grpc.RpcError as error:
            refusal = Refusal.of(error)
            assert (refusal.reason, refusal.metadata["quota"]) == ("QUOTA_EXCEEDED", "cpu_seconds_per_day")
            assert 0 < refusal.retry_ms <= 86_400_000
            break
        usage = outcome.result.usage
        used += usage.cpu_user_ms + usage.cpu_system_ms
    else:
        raise AssertionError("the quota never held")
    assert 600 < used <= 2000


@pytest.mark.parametrize("end", ["stop", "kill of the dispatcher"])
def test_cpu_time_of_a_day_goes_on_after_a_restart(make_daemon, connect, end):
    policies = Policies(make_daemon, {"profiles": ["*"], "quotas": {"cpu_seconds_per_day": 3}})
    alpha = connect(policies.address)
    outcome = alpha.execute("import time\nwhile time.process_time() < 1.2: pass", limits={"cpu_time_ms": 2000})
    assert outcome.verdict() == "COMPLETED"
    if end == "stop":
        assert policies.daemon.stop() == 0
        policies.daemon.start()
    else:
        # What this one held when the dispatcher was killed counts as used.
        stored.create(alpha, request(WAITING, limits={"cpu_time_ms": 1500}))
        assert wait_until(lambda: alpha.info().runs_active == 1, scaled(10))
        before = policies.daemon.dispatcher_pid()
        os.kill(before, 9)
        assert wait_until(lambda: policies.daemon.dispatcher_pid() not in (None, before), scaled(10))
    alpha = connect(policies.address)
    most = 1000 if end != "stop" else 2000
    refusal = alpha.refused(request("pass", limits={"cpu_time_ms": most}))
    assert (refusal.reason, refusal.metadata["quota"]) == ("QUOTA_EXCEEDED", "cpu_seconds_per_day")
    assert alpha.execute("pass", limits={"cpu_time_ms": 200}).verdict() == "COMPLETED"


def test_created_runs_come_through_the_same_door(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["python"], "ceilings": {"wall_time_ms": 30_000, "output_bytes": 65536},
                                      "quotas": {"stored_bytes": 4 << 20, "queue_length": 1, "concurrent_runs": 1}})
    alpha = connect(policies.address)

    def refusal_of(message):
        with pytest.raises(grpc.RpcError) as refused:
            stored.create(alpha, message)
        return Refusal.of(refused.value)
    assert refusal_of(request("echo", "bash", main_file=None)).reason == "PROFILE_NOT_ALLOWED"
    assert refusal_of(request("pass", limits={"wall_time_ms": 30_001})).reason == "LIMIT_NOT_ALLOWED"
    run = stored.wait_finished(alpha, stored.create(alpha, request("pass")).name)
    assert run.result.decision.rule == "alpha/profiles" and len(run.result.decision.id) == 16
    assert wait_until(lambda: any(run.result.decision.id in line and "allowed by alpha/profiles" in line
                                  for line in policies.daemon.log), scaled(5))
    full = refusal_of(request("pass", output_paths=["."], limits={"disk_bytes": 8 << 20}))
    assert (full.reason, full.metadata["quota"]) == ("QUOTA_EXCEEDED", "stored_bytes")
    for _ in range(2):  # one works until the end of the test, one waits
        stored.create(alpha, request(WAITING, limits={"wall_time_ms": 30_000}))
    queue = refusal_of(request("pass"))
    assert (queue.reason, queue.metadata["quota"]) == ("QUOTA_EXCEEDED", "queue_length")


@pytest.mark.parametrize("quota, limits", [("memory_in_flight_bytes", {"memory_bytes": 200 << 20}), ("cpu_in_flight_millis", {"cpu_millis": 700})])
def test_what_runs_at_work_hold_together_makes_more_wait(make_daemon, connect, quota, limits):
    policies = Policies(make_daemon, {"profiles": ["*"], "quotas": {quota: 300 << 20 if "bytes" in quota else 1000}})
    alpha = connect(policies.address)
    first = alpha.start(request(WAITING, limits=limits))
    first.until_output(b"here")
    second = alpha.start(request("pass", limits=limits))
    assert second.until("queued").queued.position == 1
    first.cancel()
    assert second.finish().verdict() == "COMPLETED"


def test_flood_of_refusals_has_few_lines_in_the_log(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["python"]})
    alpha = connect(policies.address)
    for _ in range(200):
        alpha.refused(request("echo", "bash", main_file=None))
    assert alpha.execute("pass").verdict() == "COMPLETED"
    assert sum("refused by alpha/profiles" in line for line in policies.daemon.log) < 100


def test_run_larger_than_the_tenant_may_hold_is_refused_at_once(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["*"], "quotas": {"memory_in_flight_bytes": 300 << 20}})
    alpha = connect(policies.address)
    refusal = alpha.refused(request("pass", limits={"memory_bytes": 400 << 20}))
    assert refusal.reason == "LIMIT_NOT_ALLOWED"
    assert refusal.metadata["rule"] == "alpha/quotas.memory_in_flight_bytes"


def test_reloaded_policy_holds_for_the_next_request(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["python"]})
    alpha = connect(policies.address)
    call = alpha.start(request(WAITING))
    call.until_output(b"here")
    policies.write("alpha", {"profiles": ["bash"]})
    policies.reload("reloaded:")
    assert wait_until(lambda: alpha_refuses(alpha), scaled(5))
    call.cancel()  # it was let in before, and lived on


def alpha_refuses(alpha):
    try:
        alpha.execute("pass")
        return False
    except grpc.RpcError as error:
        return Refusal.of(error).reason == "PROFILE_NOT_ALLOWED"


@pytest.mark.parametrize("name, members, complaint", [
    ("alpha", {"profiles": ["*"], "quotas": {"concurrent_runs": -1}}, "alpha.json:1: quotas.concurrent_runs: must be a whole number"),
    ("alpha", {"extends": "nobody"}, "alpha.json:1: extends: no policy 'nobody'"),
    ("alpha", {"extends": "alpha"}, "alpha.json:1: extends: the policies extend each other in a circle"),
    ("alpha", {"profiles": ["*"], "abstract": True}, "alpha.json: is missing, or abstract"),
    ("alpha", "{", "alpha.json:1: syntax error"),
    ("beta", {"profiles": ["*"], "weigth": 2}, "beta.json:1: weigth: unknown key; did you mean 'weight'?"),
])
def test_policy_with_a_fault_changes_nothing(make_daemon, connect, name, members, complaint):
    policies = Policies(make_daemon, {"profiles": ["python"]})
    policies.write(name, members)
    log = policies.reload("not reloaded, what was in force stays")
    assert wait_until(lambda: any(complaint in line for line in policies.daemon.log), scaled(5)), log
    assert connect(policies.address).execute("pass").result.decision.rule == "alpha/profiles"


def test_policy_that_others_may_write_changes_nothing(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["python"]})
    os.chmod(policies.folder / "alpha.json", 0o666)
    policies.reload("not reloaded, what was in force stays")
    assert connect(policies.address).execute("pass").verdict() == "COMPLETED"


def test_policies_are_those_of_the_next_dispatcher_too(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["python"]})
    policies.write("alpha", {"profiles": ["bash"]})
    policies.reload("reloaded:")
    before = policies.daemon.dispatcher_pid()
    os.kill(before, 9)
    assert wait_until(lambda: policies.daemon.dispatcher_pid() not in (None, before), scaled(10))
    assert alpha_refuses(connect(policies.address))


@pytest.mark.parametrize("missing", ["alpha", "default"])
def test_tenant_of_a_socket_without_a_policy_keeps_caissond_from_starting(make_daemon, missing):
    policies = Policies(make_daemon, {"profiles": ["*"]}, start=False)
    (policies.folder / f"{missing}.json").unlink()
    with pytest.raises(DaemonFailed) as failed:
        policies.daemon.start()
    assert f"{missing}.json: is missing, or abstract: there is a socket for this tenant" in "".join(failed.value.log)


def test_priority_goes_first_within_a_tenant(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["*"], "quotas": {"concurrent_runs": 1}})
    alpha = connect(policies.address)
    first = alpha.start(request(WAITING))
    name = first.until("accepted").accepted.name
    first.until_output(b"here")
    low = alpha.start(request("pass", priority=-1))
    assert low.until("queued").queued.position == 1
    high = alpha.start(request("pass", priority=1))
    assert high.until("queued").queued.position == 1
    alpha.unary("CancelRun", alpha.api.run.CancelRunRequest(name=name))
    high_done, low_done = high.finish(), low.finish()
    assert high_done.verdict() == low_done.verdict() == "COMPLETED"
    assert high_done.times[-1] < low_done.times[-1]


def test_deadline_that_cannot_be_met_is_refused_at_once(make_daemon, connect):
    policies = Policies(make_daemon, {"profiles": ["*"], "quotas": {"concurrent_runs": 1}})
    alpha = connect(policies.address)
    alpha.execute("import time; time.sleep(4)")
    call = alpha.start(request(WAITING))
    call.until_output(b"here")
    refusal = alpha.refused(request("pass"), timeout=2 / scaled(1))  # 2 s wherever it runs: what it waits for takes 4
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "DEADLINE_TOO_SOON")
    assert refusal.retry_ms > 0
    call.cancel()


def caisson(*arguments):
    return subprocess.run([CAISSON, *map(str, arguments)], capture_output=True, text=True, timeout=scaled(30), check=False)


def test_command_line_checks_policies_before_a_daemon_gets_them(tmp_path):
    web = {"schema_version": 1, "tenant": "web", "profiles": ["python"],
           "tests": [{"name": "no shell", "profile": "bash", "refused_by": "web/profiles"}]}
    file = tmp_path / "web.json"
    file.write_text(json.dumps(web))
    lint = caisson("policy", "lint", "--dir", tmp_path)
    assert lint.returncode == 0 and "1 tenants, sha256:" in lint.stdout
    assert caisson("policy", "test", "--dir", tmp_path).stdout == "1 tests, 0 failed\n"
    explained = caisson("policy", "explain", "--dir", tmp_path, "web").stdout
    assert "  profiles = python  (web/profiles)\n" in explained
    assert caisson("policy", "explain", "--dir", tmp_path, "wep").returncode != 0

    file.write_text(json.dumps({**web, "profiles": ["*"]}))
    failed = caisson("policy", "test", "--dir", tmp_path)
    assert failed.returncode == 1 and "'no shell': is allowed, not refused by web/profiles" in failed.stderr
    file.write_text(json.dumps({**web, "weight": 0}))
    faulty = caisson("policy", "lint", "--dir", tmp_path)
    assert faulty.returncode == 1 and f"{file}:1: weight: must be from 1 to 1000" in faulty.stderr
