"""The gateway serves the page of --playground, and nothing else of that directory or any other."""

import pathlib
import subprocess
import tempfile

import pytest

from support.gateway import GATEWAY, Gateway
from support.users import ensure_user


@pytest.fixture(name="place")
def _place():
    """A directory that the gateway's user can reach; pytest's own are root's alone."""
    with tempfile.TemporaryDirectory(prefix="caisson-page-") as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        yield directory


@pytest.fixture(name="page", scope="module")
def _page():
    with tempfile.TemporaryDirectory(prefix="caisson-page-") as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        (directory / "index.html").write_text("<!doctype html><title>page</title>")
        (directory / "assets").mkdir(mode=0o755)
        (directory / "assets" / "big-1.js").write_bytes(b"/" * 1_000_000)
        yield directory


@pytest.fixture(name="door", scope="module")
def _door(gateway_daemon, page):
    with Gateway(gateway_daemon.address, "--playground", str(page), "--write-timeout-ms", "1000") as running:
        yield running


def test_page_comes_with_a_strict_policy(door):
    reply = door.request("GET", "/")
    assert (reply.status, reply.body) == (200, b"<!doctype html><title>page</title>")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(entry.split(" ", 1) for entry in reply.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'" and policy["frame-ancestors"] == "'none'"
    assert reply.headers["x-content-type-options"] == "nosniff" and reply.headers["referrer-policy"] == "no-referrer"


def test_page_does_not_hide_the_api(door):
    assert door.request("GET", "/healthz").json() == {"status": "SERVING"}
    assert door.request("GET", "/v1/profiles").status == 200


def test_pages_own_origin_may_start_runs_and_no_other(door):
    own = door.request("POST", "/v1/runs:execute", {}, Origin=f"http://127.0.0.1:{door.port}")
    other = door.request("POST", "/v1/runs:execute", {}, Origin="http://127.0.0.1:1")
    assert (own.status, other.status) == (400, 403)


@pytest.mark.parametrize("path", ["/assets/", "/assets/none.js", "/../../etc/passwd", "/%2e%2e/etc/passwd", "/index.htm"])
def test_nothing_else_is_served(door, path):
    assert door.request("GET", path).status == 404


def test_page_is_answered_to_get_alone(door):
    assert door.request("POST", "/", b"{}").status == 404


def test_foreign_host_does_not_get_the_page(door):
    assert door.request("GET", "/", Host="attacker.example").status == 421


def test_clients_that_do_not_read_the_page_share_its_memory(door):
    def resident():
        with open(f"/proc/{door.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    before = resident()
    request = b"GET /assets/big-1.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    clients = [door.raw(request * 8) for _ in range(200)]
    try:
        # The last of them is served once all before it were begun.
        assert door.request("GET", "/healthz").status == 200
        assert resident() - before < 60_000  # 200 copies would be 200,000 KiB
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("content, why", [({}, "there is no index.html"), ({"index.html": "", "notes.txt": ""}, "notes.txt is none of the files")])
def test_directory_that_is_no_page_is_refused(place, content, why):
    for name, text in content.items():
        (place / name).write_text(text)
    ensure_user("caisson-gateway")
    done = subprocess.run([GATEWAY, "--user", "caisson-gateway", "--listen", "127.0.0.1:0", "--playground", place],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert why in done.stderr


def test_file_that_the_gateways_user_cannot_read_is_not_served(place):
    (place / "index.html").write_text("secret")
    (place / "index.html").chmod(0o600)
    ensure_user("caisson-gateway")
    done = subprocess.run([GATEWAY, "--user", "caisson-gateway", "--listen", "127.0.0.1:0", "--playground", place],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "cannot read" in done.stderr
