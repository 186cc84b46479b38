"""What caissond tells the service manager (sd_notify), read from a notification socket of the test's own."""

import os
import signal
import socket

import pytest

from support.client import Client, request
from support.environment import scaled

GRACE_MS = 45_000


@pytest.fixture
def notifications(tmp_path, monkeypatch):
    """The socket that stands for systemd's; set before the daemon starts, so that it inherits the name."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(scaled(20))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield receiver


def next_message(receiver):
    return dict(line.split("=", 1) for line in receiver.recv(4096).decode().splitlines())


def test_ready_is_said_when_clients_can_connect(notifications, make_daemon):
    daemon = make_daemon()
    message = next_message(notifications)
    assert message == {"READY": "1", "STATUS": "serving"}
    client = Client(daemon.address)
    assert client.execute("print(1)").stdout == b"1\n"
    client.close()


def test_stopping_asks_for_the_whole_grace_time(notifications, make_daemon):
    daemon = make_daemon(grace_ms=GRACE_MS)
    assert next_message(notifications)["READY"] == "1"
    client = Client(daemon.address)
    call = client.start(request("print('here', flush=True)\nimport time\ntime.sleep(60)"))
    call.until_output(b"here")
    daemon.process.send_signal(signal.SIGTERM)
    message = next_message(notifications)
    assert message["STOPPING"] == "1"
    assert int(message["EXTEND_TIMEOUT_USEC"]) > GRACE_MS * 1000
    # A second signal ends the grace time, so that this test need not wait for it.
    os.kill(daemon.pid, signal.SIGTERM)
    assert call.finish().verdict() == "CANCELED"
    client.close()
    assert daemon.stop() == 0
