"""The network `loopback`: TCP and UDP between the processes of one run, and nothing else to reach."""

import pathlib
import re
import socket

import pytest

from support import processes
from support.client import Client, request
from support.daemon import Daemon

PROFILE = "python-loopback"
MIB = 1 << 20
HELD_OPEN = 800
V1 = pathlib.Path("/sys/fs/cgroup/unified").is_dir()

# try_it(NAME, CALL): what came of it, a line each.
TRY = """
import errno, socket
def try_it(name, call):
    try:
        result = call()
        print(name, "ok" if result is None or isinstance(result, socket.socket) else result)
    except OSError as error:
        print(name, errno.errorcode.get(error.errno, error))
def connected(family, kind, address):
    with socket.socket(family, kind) as one:
        one.settimeout(5)
        one.connect(address)
def option(level, name, value, family=socket.AF_INET):
    with socket.socket(family) as one:
        one.setsockopt(level, name, value)
"""


def answers(outcome):
    assert outcome.result.exit_code == 0, outcome.stderr
    return dict(line.split(" ", 1) for line in outcome.stdout.decode().splitlines())


def end(client, call):
    """Cancels the run and reads its stream to the end."""
    name = next(one.accepted.name for one in call.events if one.WhichOneof("event") == "accepted")
    client.unary("CancelRun", client.api.run.CancelRunRequest(name=name))
    return call.finish()


def facts_of(outcome):
    return tuple(outcome.facts()[name].value for name in ("loopback_up", "network_interfaces", "network_addresses"))


def test_report_says_whether_the_loopback_is_up_and_that_nothing_else_is_there(client):
    assert facts_of(client.execute("pass", PROFILE)) == ("1", "0", "0")
    assert facts_of(client.execute("pass")) == ("0", "0", "0")
    assert client.execute("pass", PROFILE).facts()["loopback_up"].source == client.api.run.KERNEL_READ


def test_nothing_but_the_own_loopback_can_be_reached(client):
    told = answers(client.execute(TRY + """
public4 = ("198.51.100.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "224.0.0.1", "255.255.255.255")
for address in public4:
    try_it("tcp-" + address, lambda: connected(socket.AF_INET, socket.SOCK_STREAM, (address, 80)))
    try_it("udp-" + address, lambda: connected(socket.AF_INET, socket.SOCK_DGRAM, (address, 53)))
for address in ("2001:db8::1", "fd00:ec2::254", "fe80::1", "::ffff:198.51.100.1"):
    try_it("tcp-" + address, lambda: connected(socket.AF_INET6, socket.SOCK_STREAM, (address, 80)))
    try_it("udp-" + address, lambda: connected(socket.AF_INET6, socket.SOCK_DGRAM, (address, 53)))
for family, address in ((socket.AF_INET, "10.0.0.1"), (socket.AF_INET6, "2001:db8::1")):
    with socket.socket(family) as one:
        try_it("bind-" + address, lambda: one.bind((address, 0)))
""", PROFILE))
    refused = {"ENETUNREACH", "EACCES", "EADDRNOTAVAIL", "EINVAL"}
    assert len(told) == 22
    assert {name: answer for name, answer in told.items() if answer not in refused} == {}


def test_only_tcp_and_udp_sockets_are_made(client):
    outcome = client.execute(TRY + """
INET, INET6 = socket.AF_INET, socket.AF_INET6
kinds = {"raw": (INET, 3, 1), "raw6": (INET6, 3, 58), "raw-any": (INET, 3, 255), "packet-type": (INET, 10, 0), "icmp": (INET, 2, 1),
         "icmp6": (INET6, 2, 58), "mptcp": (INET, 1, 262), "sctp": (INET, 1, 132), "seqpacket": (INET, 5, 132), "dccp": (INET, 6, 33),
         "udp-lite": (INET, 2, 136), "packet": (17, 3, 768), "netlink": (16, 3, 0), "vsock": (40, 1, 0), "bluetooth": (31, 3, 1),
         "can": (29, 3, 1), "rds": (21, 5, 0), "tipc": (30, 5, 0), "alg": (38, 5, 0), "xdp": (44, 3, 0), "high-bits": (INET, 1 | 1 << 20, 0)}
for name, kind in kinds.items():
    try_it(name, lambda: socket.socket(*kind).close())
for name, kind in {"tcp": (INET, 1, 6), "udp6": (INET6, 2, 17)}.items():
    try_it(name, lambda: socket.socket(*kind).close())
""", PROFILE)
    told = answers(outcome)
    assert (told.pop("tcp"), told.pop("udp6")) == ("ok", "ok")
    assert set(told.values()) == {"EAFNOSUPPORT"} and len(told) == 21
    assert set(outcome.denials()) == {"socket"}


def test_options_that_programs_need_are_there_and_no_others(client):
    told = answers(client.execute(TRY + """
import struct
for name in (1, 4, 5, 6):
    try_it(f"tcp-{name}", lambda: option(6, name, 1))
try_it("v6only", lambda: option(41, 26, 1, socket.AF_INET6))
for name, level, number, value in (("ulp", 6, 31, b"tls"), ("congestion", 6, 13, b"cubic"), ("repair", 6, 19, 1), ("fastopen", 6, 23, 5),
        ("multicast", 0, 35, struct.pack("4s4s", b"\\xe0\\0\\0\\1", b"\\x7f\\0\\0\\1")), ("transparent", 0, 19, 1), ("options", 0, 4, b""), ("tables", 0, 64, b""),
        ("device", 1, 25, b"lo"), ("mark", 1, 36, 1), ("filter", 1, 26, b""), ("reuseport", 1, 15, 1), ("zerocopy", 1, 60, 1), ("low-water", 1, 18, 1 << 20), ("force-buffer", 1, 33, 1 << 20), ("clamp", 6, 10, 1 << 20)):
    try_it("no-" + name, lambda: option(level, number, value))
""", PROFILE))
    assert {answer for name, answer in told.items() if not name.startswith("no-")} == {"ok"}
    refused = {name: answer for name, answer in told.items() if name.startswith("no-")}
    assert set(refused.values()) == {"ENOPROTOOPT"} and len(refused) == 16


def test_interface_cannot_be_changed_from_inside(client):
    told = answers(client.execute(TRY + """
import fcntl, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    for name, number in (("up", 0x8914), ("address", 0x8916), ("mtu", 0x8922), ("name", 0x8923), ("route", 0x890b)):
        try_it(name, lambda: fcntl.ioctl(one, number, struct.pack("16sh22x", b"lo", 1)) and None)
""", PROFILE))
    assert set(told.values()) == {"ENOTTY"}
    assert len(told) == 5


def test_low_ports_are_refused_and_any_address_is_the_own_loopback(client):
    told = answers(client.execute(TRY + """
with socket.socket() as one:
    try_it("low", lambda: one.bind(("127.0.0.1", 80)))
with socket.create_server(("0.0.0.0", 0)) as server:
    try_it("any", lambda: connected(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", server.getsockname()[1])))
    try_it("other", lambda: connected(socket.AF_INET, socket.SOCK_STREAM, ("127.1.2.3", server.getsockname()[1])))
""", PROFILE))
    assert told == {"low": "EACCES", "any": "ok", "other": "ok"}


@pytest.mark.parametrize("family, host", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_services_on_the_hosts_loopback_cannot_be_reached(client, family, host):
    with socket.create_server((host, 0), family=family) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        with socket.create_connection((host, port)):  # the control
            listener.accept()[0].close()
        told = answers(client.execute(TRY + f"""
try_it("host", lambda: connected({int(family)}, socket.SOCK_STREAM, ({host!r}, {port})))
""", PROFILE))
        assert told == {"host": "ECONNREFUSED"}
        with pytest.raises(BlockingIOError):
            listener.accept()


# Listens at one TCP port, one UDP port and one abstract name, says so, and ends with its standard input.
LISTENER = """
import socket, sys, threading
server = socket.create_server(("127.0.0.1", 34567))
server6 = socket.create_server(("::1", 34567), family=socket.AF_INET6)
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("0.0.0.0", 34567))
abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\\0caisson-loopback-test")
abstract.listen()
for one in (server, server6, abstract):
    one.settimeout(0)
with socket.create_connection(("127.0.0.1", 34567)):
    server.accept()
print("listening", flush=True)
import time
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    time.sleep(0.05)
    for one in (server, server6, abstract):
        try:
            one.accept()
            print("somebody came", flush=True)
        except BlockingIOError:
            pass
    if datagrams in __import__("select").select([datagrams], [], [], 0)[0]:
        print("somebody sent", flush=True)
"""


def test_ports_of_one_run_are_invisible_to_another_and_to_the_host(client):
    source = LISTENER.replace("SECONDS", "240")
    call = client.start(request(source, PROFILE, limits={"wall_time_ms": 300_000}))
    call.until_output(b"listening\n")
    told = answers(client.execute(TRY + """
import os
for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6), ("0.0.0.0", socket.AF_INET)):
    try_it("tcp-" + host, lambda: connected(family, socket.SOCK_STREAM, (host, 34567)))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.connect(("127.0.0.1", 34567))
    one.send(b"x")
    try_it("udp", lambda: one.recv(1))
try_it("abstract", lambda: connected(socket.AF_UNIX, socket.SOCK_STREAM, "\\0caisson-loopback-test"))
with socket.create_server(("127.0.0.1", 34567)) as server:
    try_it("own", lambda: connected(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 34567)))
""", PROFILE))
    assert told == {"tcp-127.0.0.1": "ECONNREFUSED", "tcp-::1": "ECONNREFUSED", "tcp-0.0.0.0": "ECONNREFUSED",
                    "udp": "ECONNREFUSED", "abstract": "ECONNREFUSED", "own": "ok"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 34567))
    with socket.socket(socket.AF_UNIX) as from_outside, pytest.raises(ConnectionRefusedError):
        from_outside.connect("\0caisson-loopback-test")
    assert end(client, call).stdout == b"listening\n", "nobody came"


def test_sandboxes_built_ahead_have_the_network_of_their_profile(make_daemon):
    client = Client(make_daemon(ready_sandboxes=8).address)
    for _ in range(4):
        assert facts_of(client.execute("pass", PROFILE)) == ("1", "0", "0")
        assert facts_of(client.execute("pass")) == ("0", "0", "0")
    told = answers(client.execute(TRY + "try_it('tcp', lambda: socket.socket())"))
    assert told == {"tcp": "EAFNOSUPPORT"}
    client.close()


class WithoutNetAdmin(Daemon):
    """caissond without the capability that brings an interface up."""

    def command(self, *extra):
        return ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", *super().command(*extra)]


def test_loopback_that_cannot_be_brought_up_ends_the_run_before_it_starts(privileged):  # pylint: disable=unused-argument
    with WithoutNetAdmin() as daemon:
        client = Client(daemon.address)
        outcome = client.execute("print('ran')", PROFILE)
        assert (outcome.verdict(), outcome.stdout) == ("SANDBOX_SETUP_FAILED", b"")
        assert "bring up the loopback interface" in outcome.result.message
        assert client.execute("print('ran')").stdout == b"ran\n"
        client.close()


FILL = f"""
import socket, time
held = []
with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
    while len(held) < {HELD_OPEN}:
        client = socket.create_connection(server.getsockname())
        client.setblocking(False)
        held += [client, server.accept()[0]]
        try:
            while True:
                client.send(bytes(1 << 16))
        except BlockingIOError:
            pass
print("filled", flush=True)
time.sleep(240)
"""


def held_by_sockets(pid):
    """What the kernel counts for the sockets of the process's cgroup, in bytes: on v1 apart, on v2 as part of its memory."""
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            return int(pathlib.Path("/sys/fs/cgroup/memory" + path, "memory.kmem.tcp.usage_in_bytes").read_text())
    text = pathlib.Path("/sys/fs/cgroup" + path, "memory.stat").read_text()
    return int(re.search(r"^sock (\d+)$", text, re.MULTILINE)[1])


def test_memory_of_sockets_is_counted_and_bounded(client, daemon):
    call = client.start(request(FILL, PROFILE, limits={"wall_time_ms": 300_000, "cpu_time_ms": 60_000,
                                                       "open_files": 4096}))
    call.until_output(b"filled\n")
    held = max(held_by_sockets(pid) for pid in daemon.run_pids() if processes.status_field(pid, "Name") == "python3")
    end(client, call)
    # On v1 16 MiB, and the window of each connection, which the kernel grants whatever the bound (docs/profiles.md).
    assert 8 * MIB < held < (16 * MIB + HELD_OPEN // 2 * 24 * 1024 if V1 else 256 * MIB)


# Connections that nobody accepts, each with all that its window takes, closed at once by who made them: no descriptor
# holds them, and no cgroup counts them.
HOARD = """
import socket
servers = []
while True:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    server.bind(("127.0.0.1", 0))
    server.listen(1 << 16)
    servers.append(server)
    for _ in range(129):
        client = socket.socket()
        client.connect(server.getsockname())
        client.setblocking(False)
        try:
            while True:
                client.send(bytes(1 << 16))
        except BlockingIOError:
            pass
        client.close()
"""


def tcp_counters():
    """What the kernel holds for TCP on the whole host: sockets without a descriptor, pages of memory."""
    words = re.search(r"^TCP: .*$", pathlib.Path("/proc/net/sockstat").read_text(), re.MULTILINE)[0].split()
    return int(words[words.index("orphan") + 1]), int(words[words.index("mem") + 1])


def test_sockets_that_nothing_else_bounds_end_the_run(client):
    outcome = client.execute(HOARD, PROFILE, limits={"open_files": 4096, "cpu_time_ms": 60_000, "wall_time_ms": 300_000})
    assert outcome.verdict() == "MEMORY_LIMIT"
    assert (outcome.result.limit.name, outcome.result.limit.limit) == ("sockets", 2048)
    assert outcome.result.ended_by == client.api.run.SUPERVISOR
    assert 2048 < outcome.result.limit.observed < 16_384
    assert outcome.result.message.startswith("Stopped: it had more than 2048 sockets")


def test_sockets_of_a_run_that_ended_hold_nothing_on_the_host(client):
    before = tcp_counters()
    client.execute(HOARD, PROFILE, limits={"open_files": 4096})
    assert processes.wait_until(lambda: tcp_counters()[0] <= before[0] + 64 and tcp_counters()[1] <= before[1] + 2048, 10)


def test_a_receive_buffer_is_as_large_as_the_kernel_makes_it(client):
    told = answers(client.execute(TRY + """
with socket.socket() as one:
    before = one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    try_it("same", lambda: before == one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as one:
    try_it("fast-open", lambda: one.sendto(b"x", 0x20000000, server.getsockname()))
""", PROFILE))
    assert told == {"same": "True", "fast-open": "ENOTSUP"}


def test_datagrams_beyond_the_bound_are_dropped(client, daemon):
    source = """
import socket, time
held = []
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(200):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    held.append(one)
    for _ in range(400):
        sender.sendto(bytes(1000), one.getsockname())
print("filled", flush=True)
time.sleep(240)
"""
    call = client.start(request(source, PROFILE, limits={"wall_time_ms": 300_000}))
    call.until_output(b"filled\n")
    held = max(held_by_sockets(pid) for pid in daemon.run_pids() if processes.status_field(pid, "Name") == "python3")
    end(client, call)
    assert MIB < held <= (17 if V1 else 256) * MIB
