"""The package's life under a real systemd on pure cgroup v2: installed, started, used, upgraded with runs in flight, killed,
stopped, purged. Runs inside the machine of tests/vm/run.sh --systemd, as root; one story, told in order. Emulation is slow, so
every patience here is long; what is asserted is never a speed.
"""

import http.client as http_client
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

PACKAGES = pathlib.Path("/caisson/packages")
LEAKCHECK = "/caisson/tools/leakcheck"
SNAPSHOT = "/run/leakcheck-before"
CONFIG = pathlib.Path("/etc/caisson/caissond.json")
UNIT_CGROUP = pathlib.Path("/sys/fs/cgroup/system.slice/caissond.service")
PATIENCE_S = 120
LONG = ("--limit", "wall_time_ms=200000", "--limit", "cpu_time_ms=200000")


def run(*command, check=True, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S * 2, check=False, stdin=subprocess.DEVNULL,
                          **more)
    assert not check or done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.2)


def show(name, unit="caissond.service"):
    return run("systemctl", "show", "--property", name, "--value", unit).stdout.strip()


def journal(unit="caissond.service"):
    return run("journalctl", "--no-pager", "--output=cat", "--unit", unit).stdout


def python_run(source, *options, **more):
    """`caisson run` of a Python program."""
    program = pathlib.Path("/run/program.py")
    program.write_text(source)
    return run("caisson", "run", *LONG, *options, str(program), check=False, **more)


def start_run(source, name):
    """A run in flight, as a process that has printed "here"."""
    program = pathlib.Path(f"/run/{name}.py")
    program.write_text("print('here', flush=True)\n" + source)
    process = subprocess.Popen(["caisson", "run", *LONG, str(program)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "here\n", process.stderr.read()
    return process


def set_config(**keys):
    CONFIG.write_text(json.dumps({**json.loads(CONFIG.read_text()), **keys}, indent=2) + "\n")


def sandbox_pids():
    """Everything that runs under an id of a run."""
    config = json.loads(CONFIG.read_text())
    ids = range(config["id_first"], config["id_first"] + config["id_count"])
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            if int(re.search(r"^Uid:\s+(\d+)", status.read_text(), re.MULTILINE)[1]) in ids:
                found.append(status.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


@pytest.fixture(scope="module", autouse=True)
def keep_the_journal():
    yield
    results = os.environ.get("CAISSON_VM_RESULTS")
    if results:
        pathlib.Path(results, "journal.txt").write_text(run("journalctl", "--no-pager", "--output=short-monotonic").stdout)


def test_01_the_host_is_what_this_is_about():
    assert pathlib.Path("/run/systemd/system").is_dir()
    assert pathlib.Path("/proc/1/comm").read_text() == "systemd\n"
    assert pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()
    run(LEAKCHECK, "snapshot", SNAPSHOT, "--scope", "caisson")


def test_02_installing_starts_the_service_and_systemd_is_told_when_it_serves():
    run("dpkg", "--install", str(PACKAGES / "first.deb"))
    assert run("systemctl", "is-active", "caissond").stdout == "active\n"
    assert run("systemctl", "is-enabled", "caissond").stdout == "enabled\n"
    assert show("StatusText") == "serving"
    assert "ready: serving on unix:/run/caisson/caisson.sock" in journal()


def test_03_systemd_has_nothing_to_say_about_the_unit():
    done = run("systemd-analyze", "verify", "--man=no", "caissond.service", "caisson-gateway.service")
    assert done.stdout + done.stderr == ""


def test_04_unit_is_as_confined_as_it_says():
    status = pathlib.Path("/proc", show("MainPID"), "status").read_text()
    # The eleven capabilities of CapabilityBoundingSet, as bits.
    eleven = sum(1 << bit for bit in (0, 1, 5, 6, 7, 8, 12, 18, 19, 21, 27))
    assert int(re.search(r"^CapBnd:\s+(\w+)", status, re.MULTILINE)[1], 16) == eleven
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    enter = ("nsenter", "--target", show("MainPID"), "--mount", "--")
    for path in ("/etc/stolen", "/usr/stolen", "/run/stolen", "/var/stolen"):
        done = run(*enter, "touch", path, check=False)
        assert "Read-only file system" in done.stderr, path
    assert run(*enter, "ls", "/home", "/root", check=False).stdout.split() == ["/home:", "/root:"]


def test_05_a_program_runs_and_every_layer_is_in_force():
    done = python_run("print(6 * 7)", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["verdict"], result["stdout"]) == ("COMPLETED", "42\n")
    facts = {fact["name"]: fact["value"] for fact in result["isolation"]["facts"]}
    assert facts["namespaces"] == "user,pid,mount,network,ipc,uts,cgroup"
    assert facts["landlock_enforced"] == "1"
    assert facts["seccomp_mode"] == "2"


def test_06_limits_hold_below_the_units_cgroup():
    done = python_run("x = b'x' * (1 << 30)", "--limit", "memory_bytes=48M")
    assert done.returncode == 124, done.stdout + done.stderr
    assert "memory limit" in done.stderr
    done = python_run("open('/box/full', 'wb').write(b'x' * (8 << 20))", "--limit", "disk_bytes=4M")
    assert "No space left on device" in done.stderr


def test_07_sandboxes_lie_below_the_unit():
    process = start_run("import time\ntime.sleep(600)", "waiting")
    try:
        assert list(UNIT_CGROUP.glob("caisson-*/*/payload/cgroup.procs"))
        tree = [path.name for path in UNIT_CGROUP.iterdir() if path.is_dir()]
        assert len(tree) == 2, tree  # caissond's own leaf, and the instance's
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130


def test_08_who_is_not_in_the_group_is_told_what_to_do():
    run("useradd", "--no-create-home", "stranger")
    try:
        done = run("setpriv", "--reuid=stranger", "--regid=stranger", "--clear-groups", "caisson", "ps", check=False)
        assert done.returncode == 125
        assert "usermod -aG caisson" in done.stderr
        run("usermod", "-aG", "caisson", "stranger")
        run("setpriv", "--reuid=stranger", "--regid=stranger", "--init-groups", "caisson", "ps")
    finally:
        run("userdel", "stranger")


def http(method, path, body=None):
    """What the gateway answers: status and body."""
    connection = http_client.HTTPConnection("127.0.0.1", 8080, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_08b_the_gateway_is_there_for_those_who_start_it():
    assert run("systemctl", "is-enabled", "caisson-gateway", check=False).stdout == "disabled\n"
    assert show("ActiveState", "caisson-gateway") == "inactive"
    run("systemctl", "enable", "--now", "caisson-gateway")
    # Type=exec: the port is there a moment later.
    wait_until(lambda: "listening on" in journal("caisson-gateway"), "the gateway listens")
    assert http("GET", "/healthz") == (200, b'{"status":"SERVING"}\n')
    status, page = http("GET", "/")
    assert status == 200 and b"<title>Caisson playground</title>" in page
    request = {"profile": "python", "files": [{"path": "main.py", "text": "print(6 * 7)"}], "limits": {"wall_time_ms": 60_000, "cpu_time_ms": 60_000}}
    status, answer = http("POST", "/v1/runs:execute", json.dumps(request))
    assert status == 200, answer
    assert json.loads(answer)["stdout"] == "42\n"


def test_08c_the_gateways_unit_is_as_confined_as_it_says():
    status = pathlib.Path("/proc", show("MainPID", "caisson-gateway"), "status").read_text()
    assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
    user = run("id", "-u", "caisson-gateway").stdout.strip()
    assert re.search(rf"^Uid:\s+{user}\s+{user}\s+{user}\s+{user}$", status, re.MULTILINE)


def test_09_an_upgrade_lets_runs_finish_within_the_grace_time():
    set_config(grace_ms=60_000)
    run("systemctl", "restart", "caissond")
    old = show("MainPID")
    process = start_run("import time\ntime.sleep(3)\nprint('finished')", "short")
    run("dpkg", "--install", "--force-confold", str(PACKAGES / "next.deb"))
    assert process.communicate(timeout=PATIENCE_S) == ("finished\n", "")
    assert process.returncode == 0
    assert show("MainPID") != old
    assert run("systemctl", "is-active", "caissond").stdout == "active\n"
    assert json.loads(CONFIG.read_text())["grace_ms"] == 60_000
    wait_until(lambda: show("ActiveState", "caisson-gateway") == "active" and journal("caisson-gateway").count("listening on") >= 2,
               "the gateway is back")
    assert http("GET", "/healthz")[0] == 200
    assert python_run("print('after')").stdout == "after\n"


def test_10_an_upgrade_ends_what_takes_longer_and_says_so():
    set_config(grace_ms=1_000)
    run("systemctl", "restart", "caissond")
    process = start_run("import time\ntime.sleep(600)", "long")
    run("dpkg", "--install", "--force-confold", "--force-downgrade", str(PACKAGES / "first.deb"))
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "canceled" in errors
    assert python_run("print('after')").stdout == "after\n"


def test_11_grace_time_longer_than_the_units_patience_is_given():
    """TimeoutStopSec is made shorter than grace_ms: what counts is what caissond asks for."""
    set_config(grace_ms=100_000)
    drop_in = pathlib.Path("/etc/systemd/system/caissond.service.d/patience.conf")
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nTimeoutStopSec=2\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "caissond")
    try:
        process = start_run("import time\ntime.sleep(6)\nprint('finished')", "patient")
        run("systemctl", "stop", "caissond")
        assert process.communicate(timeout=PATIENCE_S) == ("finished\n", "")
        assert show("Result") == "success"
    finally:
        drop_in.unlink()
        drop_in.parent.rmdir()
        set_config(grace_ms=5_000)
        run("systemctl", "daemon-reload")
        run("systemctl", "start", "caissond")


def test_11b_documented_recipe_drains_and_restarts():
    document = pathlib.Path("/caisson/docs/operations.md").read_text()
    recipe = re.search(r"## Drain and restart\n\n```\n(.*?)```", document, re.DOTALL)[1]
    set_config(grace_ms=60_000)
    run("systemctl", "restart", "caissond")
    process = start_run("import time\ntime.sleep(3)\nprint('finished')", "drained")
    done = run("bash", "-e", "-c", recipe)
    assert "caissond.json: ok" in done.stdout and "active\n" in done.stdout
    assert process.communicate(timeout=PATIENCE_S) == ("finished\n", "")
    # A configuration that would not start is caught by the first line: nothing is restarted.
    pid = show("MainPID")
    set_config(grace_ms=5_000, no_such_key=1)
    done = run("bash", "-e", "-c", recipe, check=False)
    assert done.returncode == 1 and "no_such_key: unknown key" in done.stderr
    assert show("MainPID") == pid
    CONFIG.write_text(json.dumps({key: value for key, value in json.loads(CONFIG.read_text()).items() if key != "no_such_key"}))


def test_12_killed_caissond_takes_its_runs_along_and_comes_back():
    process = start_run("import time\ntime.sleep(600)", "orphan")
    old = show("MainPID")
    os.kill(int(old), signal.SIGKILL)
    assert process.wait(PATIENCE_S) == 125
    wait_until(lambda: show("MainPID") not in (old, "0") and show("StatusText") == "serving", "systemd starts it again")
    assert sandbox_pids() == []
    assert python_run("print('again')").stdout == "again\n"


def test_13_stop_leaves_nothing_running():
    process = start_run("import time\ntime.sleep(600)", "stopped")
    set_pids = sandbox_pids()
    assert set_pids
    run("systemctl", "stop", "caissond")
    assert process.wait(PATIENCE_S) == 130
    assert (show("ActiveState"), show("Result")) == ("inactive", "success")
    assert sandbox_pids() == []
    assert not UNIT_CGROUP.exists()


def own_cgroup(pid):
    return pathlib.Path("/proc", str(pid), "cgroup").read_text().strip().removeprefix("0::")


def test_14_started_from_a_shell_it_asks_systemd_for_a_scope_of_its_own():
    log = pathlib.Path("/run/shell.log")
    # This test is what a shell is here: a process in a cgroup of systemd's that nobody delegated.
    assert own_cgroup("self") == "/system.slice/caisson-vm-test.service"
    with log.open("w") as stream:
        process = subprocess.Popen(["caissond", "--config", str(CONFIG)], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
    try:
        wait_until(lambda: "ready: serving" in log.read_text() or process.poll() is not None, "ready")
        assert process.poll() is None, log.read_text()
        scope = re.match(r"/system\.slice/(run-\w+\.scope)/", own_cgroup(process.pid))
        assert scope, own_cgroup(process.pid)
        assert show("Delegate", scope[1]) == "yes"
        result = json.loads(python_run("print('from a scope')", "--json").stdout)
        assert (result["verdict"], result["stdout"]) == ("COMPLETED", "from a scope\n")
        assert python_run("x = b'x' * (1 << 30)", "--limit", "memory_bytes=48M").returncode == 124
        # The test's own cgroup is as it was: nothing was made in it.
        own = pathlib.Path("/sys/fs/cgroup/system.slice/caisson-vm-test.service")
        assert not [path for path in own.iterdir() if path.is_dir()]
    finally:
        process.terminate()
        code = process.wait(PATIENCE_S)
    assert code == 0, log.read_text()
    assert "stopped: nothing is left" in log.read_text()
    wait_until(lambda: show("LoadState", scope[1]) == "not-found", "the scope is gone")


def test_15_without_systemd_run_the_start_is_refused_with_the_reason():
    done = run("/usr/sbin/caissond", "--config", str(CONFIG), check=False, env={"PATH": "/nonexistent"})
    assert done.returncode == 1
    assert "systemd-run" in done.stderr, done.stderr
    assert sandbox_pids() == []


def test_16_purge_leaves_nothing():
    run("systemctl", "start", "caissond")
    assert python_run("print('last')").stdout == "last\n"
    run("dpkg", "--purge", "caisson")
    for name in ("/etc/caisson", "/run/caisson", "/run/caissond", "/usr/sbin/caissond", "/usr/share/caisson",
                 "/etc/systemd/system/multi-user.target.wants/caissond.service",
                 "/etc/systemd/system/multi-user.target.wants/caisson-gateway.service"):
        assert not os.path.lexists(name), name
    for name in ("caisson", "caisson-gateway", "caisson-tls"):
        assert run("getent", "passwd", name, check=False).returncode == 2
        assert run("getent", "group", name, check=False).returncode == 2
    assert show("LoadState") == "not-found"
    assert show("LoadState", "caisson-gateway") == "not-found"
    groups = {path.name for path in pathlib.Path("/sys/fs/cgroup").rglob("caisson*")}
    assert groups == {"caisson-vm-test.service"}
    done = run(LEAKCHECK, "compare", SNAPSHOT, "--scope", "caisson", "--settle", "30", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
