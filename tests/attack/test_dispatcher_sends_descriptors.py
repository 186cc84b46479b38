"""Descriptors that an attacker in the dispatcher's place sends, made so that closing them takes long: caissond is on time."""

import pathlib
import re
import time

import pytest

import boundary
from support import processes
from support.environment import scaled
from taken_over import taken_over

MIB = 1 << 20


# `stuck`: the number of a TCP socket that close(2) waits for as long as SO_LINGER says, while its other end does not
# read. The last word of each attack closes the attacker's own.
STUCK = """
import socket, struct
listener = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listener.getsockname())
far, _ = listener.accept()
near.setblocking(False)
try:
    while True:
        near.send(bytes(1 << 20))
except BlockingIOError:
    pass
near.setblocking(True)
near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
stuck = near.fileno()
pause()  # so that caissond's copy is the last one
"""
WAYS_IN = {
    "as a bundle": "b.send(start(2), [stuck])",
    "with a message that takes none": "b.send(prepare(20), [stuck])",
    "with a message that is none": "b.send(b'x', [stuck])",
    "among too many": "b.send(prepare(20), [stuck] * 200)",
    "behind the packet that ends the session": "b.send(b'x'); b.send(start(2), [stuck])",
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_descriptor_whose_close_blocks_does_not_make_caissond_wait(programs, way):
    attack = f"{STUCK}\n{WAYS_IN[way]}\nos.close(near.detach())\nreport(done=True)\nresume()"
    with taken_over(programs, attack) as daemon:
        daemon.pause()
        daemon.report()
        begin = time.monotonic()
        assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(1))
        assert processes.wait_dead(daemon.dispatchers()[0], scaled(1))
        daemon.wait_for_next_dispatcher()
        assert time.monotonic() - begin < scaled(10)


# `large`: a memfd whose last close(2) frees GiBs, which takes whoever does it a second or more. Bundles have seals, so this
# one has; `hidden` keeps the pages beyond its end, so that it is 4 KiB large.
LARGE_BYTES = 3 << 30
LARGE = f"""
import ctypes, fcntl
KEEP_SIZE = 1
def fill(fd, flags):
    for at in range(0, {LARGE_BYTES}, 1 << 28):
        assert ctypes.CDLL(None).fallocate(fd, flags, ctypes.c_long(at), ctypes.c_long(1 << 28)) == 0
def seal(fd):
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, 15)
"""
LARGE_OPEN = "large = memfd(seals=0); fill(large, 0); seal(large)"
HIDDEN = "large = memfd(bytes(4096), seals=0); fill(large, KEEP_SIZE); seal(large)"
UNSEALED = "large = memfd(seals=0); fill(large, 0)"
LARGE_REFUSED = {
    "as a bundle": (LARGE_OPEN, "start(2)", boundary.BAD_BUNDLE),
    "as a bundle of 4 KiB": (HIDDEN, "start(2)", boundary.BAD_BUNDLE),
    "as a bundle without seals": (UNSEALED, "start(2)", boundary.BAD_BUNDLE),
    "with limits out of range": (LARGE_OPEN, "start(2, pids=1 << 62)", boundary.LIMIT_OUT_OF_RANGE),
    "with memory that is promised": (LARGE_OPEN, "start(2, memory_bytes=100 * MIB)", boundary.CAPACITY),
}
LARGE_BREAKS = {
    "with a message that takes none": "b.send(prepare(20), [large])",
    "with a message that is none": "b.send(b'x', [large])",
    "beside a descriptor of another kind": "b.send(prepare(20), [large, 0])",
    "among too many": "b.send(prepare(20), [large] * 200)",
    "behind the packet that ends the session": "b.send(b'x'); b.send(start(2), [large])",
}


def cpu_seconds(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


@pytest.fixture
def room_for_large():
    available = int(re.search(r"MemAvailable:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) * 1024
    if available < LARGE_BYTES * 4 // 3:
        pytest.skip("needs 4 GiB of free memory")


@pytest.mark.serial
@pytest.mark.usefixtures("room_for_large")
@pytest.mark.parametrize("way", LARGE_REFUSED)
def test_large_memfd_that_is_refused_does_not_hold_up_a_deadline(programs, way):
    make, message, refusal = LARGE_REFUSED[way]
    attack = f"""{LARGE}
{make}
b.prepared(2).close()
b.prepared(1).close()
b.send(start(1, wall_time_ms=300), [bundle("import time; time.sleep(60)")])
b.expect(STARTED)
begin = time.monotonic()
pause()  # so that caissond's copy is the last one
b.send({message}, [large])
os.close(large)
resume()
seen = {{reply.kind: (reply, time.monotonic() - begin) for reply in (b.expect(START_REFUSED, FINISHED) for _ in range(2))}}
report(refusal=seen[START_REFUSED][0].refusal(), verdict=seen[FINISHED][0].verdict(), seconds=seen[FINISHED][1])
"""
    with taken_over(programs, attack, memory_budget_bytes=128 * MIB) as daemon:
        before = cpu_seconds(daemon.pid)
        daemon.pause()
        report = daemon.report()
        assert (report["refusal"], report["verdict"]) == (refusal, "WALL_TIME_LIMIT")
        assert report["seconds"] < 0.3 + scaled(0.4)
        assert cpu_seconds(daemon.pid) - before < 0.3
        assert len(daemon.dispatchers()) == 1


@pytest.mark.serial
@pytest.mark.usefixtures("room_for_large")
@pytest.mark.parametrize("way", LARGE_BREAKS)
def test_large_memfd_that_ends_the_session_costs_caissond_no_time(programs, way):
    attack = (f"{LARGE}\n{LARGE_OPEN}\nb.prepared(2).close()\npause()\n{LARGE_BREAKS[way]}\nos.close(large)\n"
              "report(done=True)\nresume()")
    with taken_over(programs, attack) as daemon:
        before = cpu_seconds(daemon.pid)
        daemon.pause()
        daemon.report()
        daemon.wait_for_next_dispatcher()
        assert cpu_seconds(daemon.pid) - before < 0.3


@pytest.mark.serial
@pytest.mark.usefixtures("room_for_large")
def test_large_memfd_for_no_sandbox_holds_up_nobody(programs):
    attack = f"""{LARGE}
{LARGE_OPEN}
pause()
b.send(start(4711), [large])
os.close(large)
b.send(prepare(1))
resume()
begin = time.monotonic()
b.expect(PREPARED).close()
report(seconds=time.monotonic() - begin)
"""
    with taken_over(programs, attack) as daemon:
        before = cpu_seconds(daemon.pid)
        daemon.pause()
        assert daemon.report()["seconds"] < scaled(0.4)
        assert cpu_seconds(daemon.pid) - before < 0.3
        assert len(daemon.dispatchers()) == 1
