"""A gateway under an attacker's control: what is left to the process, read from the kernel. The system calls themselves: tests/unit/gateway/lockdown_test.cc,
which also makes them."""

import os
import pwd
import socket
import subprocess

import pytest

from support.gateway import USER, Gateway

def status(pid):
    text = open(f"/proc/{pid}/status", encoding="ascii").read()
    return {line.split(":", 1)[0]: line.split(":", 1)[1].strip() for line in text.splitlines()}


def children(pid):
    return [int(child) for child in open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read().split()]


@pytest.fixture(scope="module")
def both(gateway):
    gateway.request("GET", "/healthz")
    [connector] = children(gateway.pid)
    return gateway.pid, connector


def test_nothing_of_root_is_left_in_either_process(both):
    for pid in both:
        fields = status(pid)
        assert fields["Uid"].split() == [str(pwd.getpwnam(USER).pw_uid)] * 4
        assert all(int(fields[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
        assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")
        assert "0" not in fields["Groups"].split()


def test_every_thread_has_the_filter(both):
    threads = os.listdir(f"/proc/{both[0]}/task")
    assert len(threads) > 1
    for thread in threads:
        assert "Seccomp:\t2" in open(f"/proc/{both[0]}/task/{thread}/status", encoding="ascii").read()


def test_only_its_port_and_the_daemon_are_open(both, gateway):
    """Of all its descriptors, those that lead anywhere: the listener, connections to the daemon, the connector, the log."""
    listening = subprocess.run(["ss", "-tlnpH"], capture_output=True, text=True, check=True).stdout if os.path.exists("/usr/bin/ss") else ""
    kinds = {os.readlink(f"/proc/{both[0]}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{both[0]}/fd")}
    assert kinds <= {"socket", "pipe", "anon_inode", "/dev/null"}, kinds
    if listening:
        assert [line for line in listening.splitlines() if f"pid={both[0]}," in line and f"127.0.0.1:{gateway.port} " not in line] == []
    kinds = {os.readlink(f"/proc/{both[1]}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{both[1]}/fd")}
    assert kinds <= {"socket", "pipe", "/dev/null"}, kinds


def test_a_stranger_of_the_same_user_cannot_look_into_it(both):
    """Not dumpable: its memory is nobody's but root's."""
    for pid in both:
        done = subprocess.run(["cat", f"/proc/{pid}/environ"], user=USER, capture_output=True, check=False)
        assert done.returncode != 0


def test_another_socket_of_its_user_is_not_reached_after_the_daemon_is_gone(make_daemon):
    """Whoever takes the daemon's place at its path must be let in by the path; nothing else is ever dialled."""
    daemon = make_daemon(ready_sandboxes=0, profiles=["python"])
    with Gateway(daemon.address) as mine:
        assert daemon.stop() == 0
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(daemon.directory / "other.sock"))
        os.chmod(daemon.directory / "other.sock", 0o666)
        other.listen()
        other.settimeout(0)
        assert mine.request("GET", "/healthz").status == 503
        with pytest.raises(BlockingIOError):
            other.accept()
        other.close()
