"""The facts a result gives about the isolation that was in force, and that they agree with the outside."""

import pathlib

from support import processes
from support.client import request

ALL_NAMESPACES = {"user", "pid", "mount", "network", "ipc", "uts", "cgroup"}
ALL_MOUNT_FACTS = {"root_read_only", "nosuid", "nodev", "proc_restricted", "private"}
WAITING = "import sys\nprint('here', flush=True)\nimport time\ntime.sleep(60)"


def values(outcome):
    return {name: fact.value for name, fact in outcome.facts().items()}


def test_every_capability_set_is_empty(client):
    facts = values(client.execute("pass"))
    for name in ("cap_inheritable", "cap_permitted", "cap_effective", "cap_bounding", "cap_ambient"):
        assert int(facts[name], 16) == 0


def test_program_cannot_gain_privileges(client):
    facts = values(client.execute("pass"))
    assert facts["no_new_privs"] == "1"
    assert facts["supplementary_groups"] == "0"
    assert facts["max_user_namespaces"] == "0"


def test_filter_is_loaded_once_and_named_by_its_digest(client):
    first, second = values(client.execute("pass")), values(client.execute("pass"))
    assert first["seccomp_mode"] == "2"
    assert int(first["seccomp_filters"]) == 1
    assert len(bytes.fromhex(first["filter_digest"])) == 32 and int(first["filter_digest"], 16) != 0
    assert first["filter_digest"] == second["filter_digest"]


def test_every_namespace_is_the_runs_own(client):
    assert set(values(client.execute("pass"))["namespaces"].split(",")) == ALL_NAMESPACES


def test_mounts_are_locked_down(client):
    assert set(values(client.execute("pass"))["mounts"].split(",")) == ALL_MOUNT_FACTS


def test_landlock_was_tried_and_held(client):
    facts = client.execute("pass").facts()
    assert facts["landlock_enforced"].value == "1"
    assert facts["landlock_enforced"].source == client.api.run.PROBE
    assert int(facts["landlock_abi"].value) >= 1


def test_ids_are_the_runs_own_and_never_root(client, daemon):
    facts = values(client.execute("pass"))
    first = daemon.id_first
    uid, gid, init = int(facts["uid"]), int(facts["gid"]), int(facts["init_uid"])
    for number in (uid, gid, init):
        assert first <= number < first + daemon.config["id_count"]
    assert uid != init
    assert facts["uid_map_inside"] == "1000"


def test_runs_at_the_same_time_have_different_ids(client):
    calls = [client.start(request(WAITING)) for _ in range(4)]
    uids = set()
    for call in calls:
        started = call.until("started").started
        uids |= {fact.value for fact in started.isolation.facts if fact.name in ("uid", "init_uid")}
        call.cancel()
    assert len(uids) == 8


def test_limits_are_read_back_from_the_kernel(client):
    facts = values(client.execute("pass", limits={"memory_bytes": 100 * 1024 * 1024, "pids": 17, "cpu_millis": 500}))
    assert facts["cgroup_memory_bytes"] == str(100 * 1024 * 1024)
    assert facts["cgroup_pids"] == "17"
    assert facts["cgroup_cpu_millis"] == "500"


def test_started_and_result_give_the_same_facts(client):
    outcome = client.execute("pass")
    assert outcome.isolation == outcome.result.isolation
    assert outcome.result.isolation.tier == "namespaces"


def test_every_fact_names_its_source(client):
    run = client.api.run
    for fact in client.execute("pass").facts().values():
        assert fact.source in (run.KERNEL_READ, run.PROBE, run.LOADED), fact.name
        assert fact.value != "", fact.name


def test_report_agrees_with_what_the_kernel_says_from_outside(client, daemon):
    call = client.start(request(WAITING))
    started = call.until("started").started
    call.until_output(b"here")
    facts = {fact.name: fact.value for fact in started.isolation.facts}
    payload = [pid for pid in daemon.run_pids() if processes.status_field(pid, "Uid").split()[0] == facts["uid"]]
    assert len(payload) == 1
    status = {name: processes.status_field(payload[0], name) for name in
              ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters", "Groups")}
    assert [status[n] for n in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")] == ["0" * 16] * 5
    assert (status["NoNewPrivs"], status["Seccomp"], status["Seccomp_filters"]) == ("1", "2", facts["seccomp_filters"])
    assert status["Groups"] == ""
    for kind in ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup"):
        inside = pathlib.Path(f"/proc/{payload[0]}/ns/{kind}").readlink()
        outside = pathlib.Path(f"/proc/{daemon.pid}/ns/{kind}").readlink()
        assert inside != outside, kind
    call.cancel()
