"""A caisson-tls under an attacker's control: what is left to the process, read from the kernel. The system calls: tests/unit/tls_door/tls_lockdown_test.cc."""

import os
import pwd
import subprocess

import pytest

from support.daemon import Daemon
from support.tls import USER, Authority, Door, TlsClient
from support.tokens import Tokens


def status(pid):
    text = open(f"/proc/{pid}/status", encoding="ascii").read()
    return {line.split(":", 1)[0]: line.split(":", 1)[1].strip() for line in text.splitlines()}


@pytest.fixture(scope="module", name="both")
def fixture_both(privileged, tmp_path_factory):  # pylint: disable=unused-argument
    """The pids of the door and its connector, after a call."""
    tokens = Tokens(Daemon(profiles=["python"], ready_sandboxes=0), mode="0666")
    token = tokens.add("alpha")
    tokens.write()
    authority = Authority(tmp_path_factory.mktemp("tls") / "servers", "servers")
    with tokens.daemon, Door(authority, None, "--token-socket", tokens.address) as door:
        client = TlsClient(door, token=token)
        assert client.info().tenant == "alpha"
        [connector] = map(int, open(f"/proc/{door.process.pid}/task/{door.process.pid}/children", encoding="ascii").read().split())
        yield door.process.pid, connector
        client.close()
        assert token[21:] not in "".join(door.log)


def test_nothing_of_root_is_left_in_door_or_connector(both):
    for pid in both:
        fields = status(pid)
        assert fields["Uid"].split() == [str(pwd.getpwnam(USER).pw_uid)] * 4
        assert all(int(fields[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
        assert (fields["NoNewPrivs"], fields["Seccomp"], fields["Threads"]) == ("1", "2", "1")
        assert "0" not in fields["Groups"].split()


def test_door_has_its_port_the_daemon_and_its_certificates_open(both):
    for pid in both:
        kinds = {os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{pid}/fd")}
        kinds = {"certificates" if kind.endswith("/tls") else kind for kind in kinds}
        assert kinds <= {"socket", "pipe", "anon_inode", "/dev/null", *(["certificates"] if pid == both[0] else [])}, kinds


def test_stranger_of_the_same_user_cannot_look_into_the_door(both):
    for pid in both:
        done = subprocess.run(["cat", f"/proc/{pid}/environ"], user=USER, capture_output=True, check=False)
        assert done.returncode != 0
