"""Metrics: each is moved by a real run, scraped by Debian's Prometheus, and asked for by the dashboard that is shipped."""

import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import grpc
import pytest

from support import processes, stored
from support.client import Client, request
from support.daemon import Daemon
from support.environment import REPOSITORY, scaled
from support.native import compile_c

DEPLOY = REPOSITORY / "deploy"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
MOST_SERIES = 2000


# For every test, also those that do not ask it anything: pytest ends a file's fixtures in the order in which its last test did without them, and the
# shared daemon's is to end after this one.
@pytest.fixture(scope="module", name="measured", autouse=True)
def measured_fixture(privileged):  # pylint: disable=unused-argument
    with Daemon(profiles=["python", "native", "bash"], max_runs=2, queue_length=2) as place:
        assert place.stop() == 0
        place.config["metrics"] = f"unix:{place.directory}/socket/metrics.sock"
        place.config_file.unlink()
        yield place.start()
        assert place.runs_are_gone()
        assert place.stop() == 0


@pytest.fixture
def client(measured):
    one = Client(measured.address)
    yield one
    one.close()


def metrics_path(daemon):
    return daemon.config["metrics"].removeprefix("unix:")


def ask(daemon, text):
    """What comes back for these bytes, to the end."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(scaled(10))
        connection.connect(metrics_path(daemon))
        connection.sendall(text)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # it had not read all that was sent
            while more := connection.recv(65536):
                answer += more
        return answer


def scrape(daemon):
    """{(name, labels): value}"""
    head, body = ask(daemon, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 OK")
    found = {}
    for line in body.decode().splitlines():
        if line and not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            found[name, labels or ""] = float(value)
    return found


class Moved:
    """What changed between two scrapes."""

    def __init__(self, daemon):
        self._daemon = daemon
        self._before = scrape(daemon)

    def by(self, name, labels=""):
        return scrape(self._daemon).get((name, labels), 0) - self._before.get((name, labels), 0)

    def eventually(self, name, labels="", least=1):
        assert processes.wait_until(lambda: self.by(name, labels) >= least, scaled(15), 0.1), (name, labels, scrape(self._daemon))


def logged(daemon, text):
    assert processes.wait_until(lambda: any(text in line for line in daemon.log), scaled(10)), daemon.log[-5:]


def test_a_run_moves_what_counts_runs(client, measured):
    moved = Moved(measured)
    client.execute("import sys\nsys.stdout.write('x' * 1000)\nsys.stderr.write('y' * 10)\nsum(range(3_000_000))")
    moved.eventually("caisson_runs_total", 'profile="python",verdict="COMPLETED"')
    for stage in ("setup", "start", "run", "teardown"):
        assert moved.by("caisson_run_stage_seconds_count", f'stage="{stage}"') == 1
    assert moved.by("caisson_run_stage_seconds_sum", 'stage="run"') > 0
    assert moved.by("caisson_queue_wait_seconds_count", 'tenant="default"') == 1
    assert moved.by("caisson_output_bytes_total", 'stream="stdout"') == 1000
    assert moved.by("caisson_output_bytes_total", 'stream="stderr"') == 10
    assert moved.by("caisson_run_cpu_seconds_total", 'profile="python"') > 0
    moved.eventually("caisson_record_commit_seconds_count")
    moved.eventually("caisson_stored_runs", 'tenant="default"')
    assert moved.by("caisson_stored_bytes", 'tenant="default"') > 0


def test_each_verdict_has_a_series_of_its_own(client, measured):
    moved = Moved(measured)
    client.execute("import os; os.kill(os.getpid(), 9)")
    client.execute("import time; time.sleep(60)", limits={"wall_time_ms": 200})
    moved.eventually("caisson_runs_total", 'profile="python",verdict="SIGNALED"')
    moved.eventually("caisson_runs_total", 'profile="python",verdict="WALL_TIME_LIMIT"')


def test_sandboxes_built_ahead_are_told_from_others(client, measured):
    moved = Moved(measured)
    client.execute("pass", limits={"disk_bytes": 1 << 20})  # of another size than those that are built ahead
    moved.eventually("caisson_sandboxes_total", 'source="new"')

    def from_pool():
        client.execute("pass")
        return moved.by("caisson_sandboxes_total", 'source="pool"') >= 1

    assert processes.wait_until(from_pool, scaled(20), 0.1)


def test_places_queue_and_refusals_are_counted(client, measured):
    moved = Moved(measured)
    waiting = "print('here', flush=True)\nimport time\ntime.sleep(60)"
    calls = [client.start(request(waiting)) for _ in range(2)]
    for call in calls:
        call.until_output(b"here")
    followed = stored.create(client, request("print(1)"))
    queued = client.start(request("print(2)"))
    queued.until("queued")
    follower = stored.Followed(client, followed.name).call()
    now = scrape(measured)
    assert (now["caisson_runs_active", ""], now["caisson_runs_max", ""], now["caisson_queue_max_runs", ""]) == (2, 2, 2)
    assert now["caisson_queue_runs", 'tenant="default"'] == 2
    assert now["caisson_memory_promised_bytes", ""] >= 2 * (64 << 20) and now["caisson_memory_budget_bytes", ""] > 0
    assert processes.wait_until(lambda: scrape(measured)["caisson_followers", ""] == 1, scaled(10))
    assert client.refused(request("print(3)")).reason == "QUEUE_FULL"
    with pytest.raises(grpc.RpcError):
        stored.create(client, request("print(3)"))
    client.refused(request("print(3)", "nothing"))
    moved.eventually("caisson_runs_refused_total", 'reason="QUEUE_FULL"', least=2)
    assert moved.by("caisson_runs_refused_total", 'reason="QUEUE_FULL"') == 2
    assert moved.by("caisson_runs_refused_total", 'reason="PROFILE_NOT_FOUND"') == 1
    for call in calls:
        call.cancel()
    assert queued.finish().stdout == b"2\n"
    list(follower)
    moved.eventually("caisson_runs_total", 'profile="python",verdict="CANCELED"', least=2)
    assert processes.wait_until(lambda: scrape(measured)["caisson_runs_active", ""] == 0, scaled(10))


def test_denials_are_counted_by_call_and_signs_of_an_attempt_are_lines_and_counters(client, measured):
    moved = Moved(measured)
    outcome = client.execute("import socket\nfor _ in range(150):\n try: socket.socket(socket.AF_INET)\n except OSError: pass")
    assert outcome.result.exit_code == 0
    moved.eventually("caisson_denied_calls_total", 'syscall="socket"', least=150)
    moved.eventually("caisson_security_events_total", 'event="denial_burst"')
    logged(measured, f"security: event=denial_burst run={outcome.name} tenant=default profile=python count=150 first=socket")
    program = compile_c("#include <sys/ptrace.h>\nint main(void) { return (int)ptrace(PTRACE_TRACEME, 0, 0, 0); }")
    killed = client.execute(program, profile="native")
    assert killed.verdict() == "SYSCALL_VIOLATION"
    moved.eventually("caisson_security_events_total", 'event="forbidden_call"')
    logged(measured, f"security: event=forbidden_call run={killed.name} tenant=default profile=native syscall=ptrace")
    client.execute("import os\nfor _ in range(2000):\n try:\n  if os.fork() == 0: import time; time.sleep(3)\n except OSError: pass\nos._exit(0)",
                   limits={"pids": 8})
    moved.eventually("caisson_security_events_total", 'event="limit_probe"')
    logged(measured, " profile=python limit=pids count=")


def test_a_trace_context_goes_into_logs_and_records(client, measured):
    call = client.stub.CreateRun.with_call(request("print(1)"), timeout=scaled(20), metadata=[("traceparent", TRACE)])[0]
    assert call.traceparent == TRACE
    assert stored.wait_finished(client, call.name).traceparent == TRACE
    logged(measured, f"run {call.name}: ended as COMPLETED, trace={TRACE.split('-')[1]}")
    for wrong in ("00-xyz", TRACE.upper(), TRACE + "-1", "01" + TRACE[2:], TRACE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32)):
        run = client.stub.CreateRun.with_call(request("print(1)"), timeout=scaled(20), metadata=[("traceparent", wrong)])[0]
        assert run.traceparent == "", wrong
        stored.wait_finished(client, run.name)


def test_no_client_and_no_program_makes_series(client, measured):
    """DMN-48: names, labels, output and calls of their choice."""
    before = len(scrape(measured))
    for number in range(30):
        client.refused(request("pass", profile=f"profile{number}"))
        client.execute(f"print('caisson_{number} 1')", labels={f"key{number}": f"value{number}"})
    client.execute("import ctypes\nlibc = ctypes.CDLL(None)\nfor n in range(335, 2000): libc.syscall(n, 0, 0, 0, 0, 0, 0)")
    after = scrape(measured)
    assert len(after) < MOST_SERIES
    names = {labels for name, labels in after if name.startswith("caisson_runs_")}
    assert not any("profile1" in labels or "key1" in labels for labels in names), names
    assert len(after) - before < 700


@pytest.mark.parametrize("text, status", [
    (b"GET / HTTP/1.1\r\n\r\n", b"404"),
    (b"GET /metrics/../x HTTP/1.1\r\n\r\n", b"404"),
    (b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", b"405"),
    (b"GET /metrics\r\n\r\n", b"400"),
    (b"\r\n\r\n", b"400"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
    (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 5000, b"431"),
    (b"\x00\xff" * 3000, b"431"),
], ids=["root", "path", "post", "no_version", "nothing", "http2", "long_header", "bytes"])
def test_what_is_no_scrape_is_refused(measured, text, status):
    assert ask(measured, text).split(b" ", 2)[1] == status


def test_connections_are_few_and_short_and_others_are_served(measured, client):
    idle = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    for one in idle:
        one.connect(metrics_path(measured))
        one.settimeout(scaled(20))
    began = time.monotonic()
    assert client.execute("print('served')").stdout == b"served\n"
    assert all(one.recv(1) == b"" for one in idle), "each is closed by the service"
    assert time.monotonic() - began < scaled(15)
    for one in idle:
        one.close()
    assert scrape(measured)["caisson_runs_max", ""] == 2


def test_there_is_no_listener_unless_it_is_asked_for(daemon):
    assert list((daemon.directory / "socket").iterdir()) == [daemon.socket_path]


class Relay:
    """The loopback to the Unix socket, as systemd-socket-proxyd does it from a unit of deploy/prometheus."""

    def __init__(self, path):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["systemd-socket-activate", "-l", f"127.0.0.1:{self.port}", "/lib/systemd/systemd-socket-proxyd", path],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def stop(self):
        self.process.terminate()
        self.process.wait(scaled(10))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def prometheus(directory, port):
    """Debian's, with the shipped configuration, but for the port and the interval."""
    for name in ("prometheus.yml", "caisson-alerts.yml"):
        shutil.copy(DEPLOY / "prometheus" / name, directory)
    config = directory / "prometheus.yml"
    text = config.read_text()
    assert "127.0.0.1:9464" in text and "scrape_interval: 15s" in text
    config.write_text(text.replace("127.0.0.1:9464", f"127.0.0.1:{port}").replace("scrape_interval: 15s", "scrape_interval: 1s"))
    own = free_port()
    process = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
                                f"--web.listen-address=127.0.0.1:{own}", "--log.level=warn"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    errors = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
    reader.start()
    try:
        yield own, errors
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(scaled(30))
        reader.join(scaled(5))


def query(port, expression):
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(url, timeout=scaled(10)) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{expression}: {error.read().decode()}") from error
    except (OSError, http.client.HTTPException):
        return []


def panels():
    dashboard = json.loads((DEPLOY / "grafana" / "caisson-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m").replace("$job", "caisson")


@pytest.mark.host
@pytest.mark.slow
def test_prometheus_scrapes_it_and_every_query_of_the_dashboard_has_an_answer(client, measured, tmp_path):
    for name, source in (("ok", "print('x' * 100)"), ("denied", "import socket\nfor _ in range(120):\n try: socket.socket(socket.AF_INET)\n except OSError: pass")):
        assert client.execute(source).result.exit_code == 0, name
    client.refused(request("pass", "nothing"))
    relay = Relay(metrics_path(measured))
    try:
        with prometheus(tmp_path, relay.port) as (port, errors):
            assert processes.wait_until(lambda: query(port, 'up{job="caisson"} == 1') != [], scaled(60), 0.3), errors
            left = dict((expression, title) for title, expression in panels())
            assert len(left) > 15
            end = time.monotonic() + scaled(60)
            while left and time.monotonic() < end:
                client.execute("print('again')")
                left = {expression: title for expression, title in left.items() if query(port, expression) == []}
                time.sleep(0.5)
            assert not left, left
            version = query(port, "caisson_build_info")[0]["metric"]["version"]
            assert version == client.info().version
            for alert in query(port, 'ALERTS{alertstate="firing"}'):
                raise AssertionError(alert)
            assert not [line for line in errors if "level=error" in line], errors
    finally:
        relay.stop()


@pytest.mark.host
def test_promtool_finds_the_rules_sound_and_each_alert_fires_when_it_should():
    folder = DEPLOY / "prometheus"
    for command in (["check", "rules", "caisson-alerts.yml"], ["test", "rules", "caisson-alerts-test.yml"],
                    ["check", "config", "--syntax-only", "prometheus.yml"]):
        done = subprocess.run(["promtool", *command], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    tested = (folder / "caisson-alerts-test.yml").read_text()
    for alert in re.findall(r"alert: (\w+)", (folder / "caisson-alerts.yml").read_text()):
        assert alert in tested, f"{alert} has no test"


@pytest.mark.host
def test_promtool_finds_the_page_sound(measured):
    page = ask(measured, b"GET /metrics HTTP/1.1\r\n\r\n").split(b"\r\n\r\n", 1)[1]
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_is_documented_and_no_other(measured):
    documented = set(re.findall(r"^\| `(caisson_\w+|process_\w+)`", (REPOSITORY / "docs/metrics.md").read_text(), re.MULTILINE))
    page = ask(measured, b"GET /metrics HTTP/1.1\r\n\r\n").decode()
    assert documented == set(re.findall(r"^# TYPE (\w+)", page, re.MULTILINE))


def test_every_metric_that_alerts_and_panels_name_is_there(measured):
    there = set(re.findall(r"^# TYPE (\w+)", ask(measured, b"GET /metrics HTTP/1.1\r\n\r\n").decode(), re.MULTILINE))
    texts = [expression for _, expression in panels()] + [(DEPLOY / "prometheus" / "caisson-alerts.yml").read_text()]
    for name in set(re.findall(r"\b(?:caisson|process)_[a-z_]+\b", " ".join(texts))) - {"caisson_alerts"}:
        assert re.sub(r"_(bucket|count|sum)$", "", name) in there, name
