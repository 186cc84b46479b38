"""A program of an attacker's in the dispatcher's place gains nothing beyond what profiles allow.

caissond finds the dispatcher beside itself. So a copy of the released caissond lies beside hostile_dispatcher.py here;
each test hands that an attack: Python that speaks through `b`, its end of the boundary (boundary.py).
"""

import json
import os
import pathlib
import re
import time

import pytest

import boundary
from support import processes
from support.environment import scaled
from taken_over import taken_over

HERE = pathlib.Path(__file__).parent
MIB = 1 << 20


def test_boundary_is_the_one_of_this_version():
    header = (HERE.parents[1] / "src" / "ipc" / "messages.h").read_text()
    assert int(re.search(r"kVersion = (\d+);", header)[1]) == boundary.VERSION


NOT_NOW = "is not permitted in the sandbox's state"
VIOLATIONS = {
    "an empty packet": ("b.send(b'')", "the peer is gone"),
    "half a header": ("b.send(message(SERVING)[:7])", "shorter than a header"),
    "another magic": ("b.send(message(SERVING, magic=0x43534951))", "magic is wrong"),
    "an older version": ("b.send(message(SERVING, version=VERSION - 1))", "version is not ours"),
    "a newer version": ("b.send(message(SERVING, version=VERSION + 1))", "version is not ours"),
    "a length beyond the packet": ("b.send(message(SERVING, length=4096))", "length is not the packet's"),
    "half a message": ("b.send(prepare()[:40])", "length is not the packet's"),
    "half a message that says so": ("b.send(message(PREPARE, prepare()[16:40]))", "length is not that of its type"),
    "a message and a half": ("b.send(message(PREPARE, prepare()[16:] + bytes(8)))", "length is not that of its type"),
    "something in the reserved field": ("b.send(message(SERVING, reserved=1))", "reserved is not 0"),
    "a packet that is too large": ("b.send(message(PREPARE, bytes(8000)))", "packet"),
    "type 0": ("b.send(message(0))", "type is not a request"),
    "an unknown type": ("b.send(message(63))", "type is not a request"),
    "caissond's own words": ("b.send(message(FINISHED, bytes(200)))", "type is not a request"),
    "SERVING again": ("b.send(serving())", "SERVING is permitted once"),
    "SERVING with a descriptor": ("b.send(serving(), [memfd(b'x')])", "descriptor count"),
    "RELOAD where nobody is an admin": ("b.send(reload())", "RELOAD is not permitted"),
    "RELOAD with a body": ("b.send(message(RELOAD, bytes(8)))", "length is not that of its type"),
    "RELOAD with a descriptor": ("b.send(reload(), [memfd(b'x')])", "descriptor count"),
    "PREPARE with a descriptor": ("b.send(prepare(), [memfd(b'x')])", "descriptor count"),
    "sandbox 0": ("b.send(prepare(0))", "sandbox is 0"),
    "a path for a profile": ("b.send(prepare(profile=b'../../etc/shadow'))", "profile is not a profile name"),
    "a profile without an end": ("b.send(prepare(profile=b'p' * 64))", "profile is not a profile name"),
    "bytes behind the profile's end": ("b.send(prepare(profile=b'python\\0/bin/sh'))", "profile is not a profile name"),
    "step 0": ("b.send(prepare(step=0))", "step is out of range"),
    "step 3": ("b.send(prepare(step=3))", "step is out of range"),
    "two terminals": ("b.send(prepare(tty=2))", "tty is neither"),
    "half a courtesy": ("b.send(prepare(leaves_last=2))", "leaves_last is neither"),
    "no disk": ("b.send(prepare(disk_bytes=0))", "disk_bytes is 0"),
    "no inodes": ("b.send(prepare(inode_count=0))", "inode_count is 0"),
    "an id in use": ("b.prepared(1); b.send(prepare(1))", f"PREPARE {NOT_NOW}"),
    "an id in use while it is built": ("b.send(prepare(1)); b.send(prepare(1))", f"PREPARE {NOT_NOW}"),
    "START twice while the sandbox is built": ("b.send(prepare(1)); [b.send(start(1), [bundle('')]) for _ in range(2)]",
                                               f"START {NOT_NOW}"),
    "SIGNAL while START waits for the sandbox": ("b.send(prepare(1)); b.send(start(1), [bundle('')]); b.send(signal(1))",
                                                 f"SIGNAL {NOT_NOW}"),
    "START twice": ("b.prepared(1); [b.send(start(1), [bundle('import time; time.sleep(60)')]) for _ in range(2)]",
                    f"START {NOT_NOW}"),
    "START without a bundle": ("b.prepared(1); b.send(start(1))", "descriptor count"),
    "START with two bundles": ("b.prepared(1); b.send(start(1), [bundle(''), bundle('')])", "descriptor count"),
    "START with 200 descriptors": ("b.prepared(1); b.send(start(1), [bundle('')] * 200)", "packet"),
    "a collector that has for ever": ("b.prepared(1); b.send(start(1, collect_ms=1 << 40), [bundle('')])",
                                      "collect_ms is out of range"),
    **{f"no {name}": (f"b.prepared(1); b.send(start(1, {name}=0), [bundle('')])", f"{name} is 0")
       for name in boundary.LIMITS},
    "SIGNAL to a sandbox that waits": ("b.prepared(1); b.send(signal(1))", f"SIGNAL {NOT_NOW}"),
    "SIGKILL": ("b.send(signal(1, 9))", "signal_number is not one to be sent"),
    "a signal below 0": ("b.send(signal(1, -1))", "signal_number is not one to be sent"),
    "CANCEL without a reason": ("b.send(cancel(1, reason=0))", "reason is out of range"),
    "CANCEL with a needless number": ("b.send(cancel(1, detail=1))", "detail is not 0"),
    "an output limit that was not passed": ("b.send(cancel(1, 4, 1, 100, 99))", "observed is below the limit"),
    **{f"{name} for a bundle": (f"b.prepared(1); b.send(start(1), [{fd}])", "a descriptor is no memfd") for name, fd in {
        "a file": "os.open('/etc/passwd', os.O_RDONLY)",
        "a path without rights": "os.open('/etc/shadow', os.O_PATH)",
        "a directory": "os.open('/', os.O_RDONLY)",
        "a device": "os.open('/dev/zero', os.O_RDONLY)",
        "a pipe": "os.pipe()[0]",
        "the boundary itself": "3",
    }.items()},
    "hanging up without leaving": ("b.socket.close(); time.sleep(600)", "the peer is gone"),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_violation_ends_the_session_with_its_reason_and_a_new_dispatcher_serves(programs, name):
    attack, reason = VIOLATIONS[name]
    with taken_over(programs, attack) as daemon:
        daemon.wait_for_next_dispatcher()
        first = daemon.dispatchers()[0]
        assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(1))
        assert [line for line in daemon.log if f"dispatcher {first}: " in line and reason in line], "".join(daemon.log)


def test_dispatcher_that_only_attacks_is_started_again_ever_more_slowly(programs):
    with taken_over(programs, "") as daemon:
        begin = time.monotonic()
        for _ in range(4):
            pid = daemon.dispatcher_pid()
            os.kill(pid, 9)
            assert processes.wait_until(lambda: daemon.dispatcher_pid() not in (None, pid), scaled(10))  # pylint: disable=cell-var-from-loop
        assert time.monotonic() - begin >= 0.1 + 0.2 + 0.4 + 0.8


REFUSED_PREPARES = {
    "a profile that is not there": ("profile=b'root'", boundary.UNKNOWN_PROFILE),
    "a profile that others only extend": ("profile=b'base'", boundary.UNKNOWN_PROFILE),
    "a step that the profile does not have": ("step=COMPILE", boundary.UNKNOWN_STEP),
    "more disk than the ceiling": ("disk_bytes=1 << 62", boundary.LIMIT_OUT_OF_RANGE),
    "more inodes than the ceiling": ("inode_count=1 << 62", boundary.LIMIT_OUT_OF_RANGE),
}


def test_sandbox_that_no_profile_allows_is_refused(programs):
    attack = "seen = {}\n" + "\n".join(
        f"b.send(prepare(1, {fields})); seen[{name!r}] = b.expect(PREPARE_FAILED).refusal()"
        for name, (fields, _) in REFUSED_PREPARES.items()) + "\nreport(**seen)"
    with taken_over(programs, attack) as daemon:
        assert daemon.report() == {name: refusal for name, (_, refusal) in REFUSED_PREPARES.items()}
        assert len(daemon.dispatchers()) == 1


def test_limits_beyond_the_profiles_ceiling_are_refused_and_nothing_runs(programs):
    attack = """
seen = {}
for name in LIMITS:
    for value in (1 << 62, (1 << 64) - 1):
        b.prepared(1).close()
        b.send(start(1, **{name: value}), [bundle("print('ran')")])
        seen[name] = b.expect(START_REFUSED, STARTED).refusal()
report(**seen)
"""
    with taken_over(programs, attack) as daemon:
        assert daemon.report() == {name: boundary.LIMIT_OUT_OF_RANGE for name in boundary.LIMITS}
        assert len(daemon.dispatchers()) == 1


BAD_BUNDLES = {
    "not sealed": "memfd(b'x', seals=0)",
    "sealed but for growing": "memfd(b'x', seals=1 | 2 | 8)",
    "with seals that may be taken further": "memfd(b'x', seals=2 | 4 | 8)",
    "empty": "memfd()",
    "larger than any bundle": "memfd(size=272 * MIB + 1)",
}


def test_bundle_that_is_not_fully_sealed_or_of_no_size_is_refused(programs):
    attack = "seen = {}\n" + "\n".join(
        f"b.prepared(1).close(); b.send(start(1), [{fd}]); seen[{name!r}] = b.expect(START_REFUSED, STARTED).refusal()"
        for name, fd in BAD_BUNDLES.items()) + "\nreport(**seen)"
    with taken_over(programs, attack) as daemon:
        assert daemon.report() == {name: boundary.BAD_BUNDLE for name in BAD_BUNDLES}
        assert len(daemon.dispatchers()) == 1


def test_malformed_bundle_harms_the_run_it_belongs_to(programs):
    attack = """
seen = []
for content in (b"x", bytes(16), b"BNDL" + b"\\xff" * 12, b"BNDL\\1\\0\\0\\0" + b"\\xff" * 4096):
    b.prepared(1).close()
    b.send(start(1), [memfd(content)])
    seen.append(b.expect(FINISHED).verdict())
b.prepared(1).close()
b.send(start(1), [bundle("pass")])
report(malformed=seen, well_formed=b.expect(FINISHED).verdict())
"""
    with taken_over(programs, attack) as daemon:
        assert daemon.report() == {"malformed": ["SANDBOX_SETUP_FAILED"] * 4, "well_formed": "COMPLETED"}
        assert len(daemon.dispatchers()) == 1


def test_what_it_runs_is_as_locked_as_anybodys(programs):
    attack = '''
prepared = b.prepared(1)
b.send(start(1), [bundle("""
import os
wanted = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print({name: status[name].strip() for name in wanted}, os.getuid(), os.path.exists("/etc/shadow"), flush=True)
""")])
verdict = b.expect(FINISHED).verdict()
report(verdict=verdict, output=os.read(prepared.fds[1], 4096).decode())
'''
    with taken_over(programs, attack) as daemon:
        report = daemon.report()
        assert report["verdict"] == "COMPLETED"
        none = "0" * 16
        status = {**{name: none for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}, "NoNewPrivs": "1", "Seccomp": "2"}
        assert report["output"] == f"{status} 1000 False\n"


def test_memory_beyond_the_budget_is_refused(programs):
    attack = """
for sandbox in (1, 2, 3):
    b.prepared(sandbox).close()
seen = []
for sandbox in (1, 2, 3):
    b.send(start(sandbox, memory_bytes=100 * MIB), [bundle("import time; time.sleep(60)")])
    reply = b.expect(STARTED, START_REFUSED)
    seen.append("started" if reply.kind == STARTED else reply.refusal())
report(seen=seen)
"""
    with taken_over(programs, attack, memory_budget_bytes=256 * MIB) as daemon:
        assert daemon.report()["seen"] == ["started", "started", boundary.CAPACITY]


def test_start_that_comes_before_the_sandbox_is_ready_counts_against_the_memory_at_once(programs):
    attack = """
for sandbox in (1, 2, 3):
    b.send(prepare(sandbox))
    b.send(start(sandbox, memory_bytes=100 * MIB), [bundle("import time; time.sleep(60)")])
seen = {}
while len(seen) < 3:
    reply = b.expect(STARTED, START_REFUSED)
    seen[str(reply.sandbox)] = "started" if reply.kind == STARTED else reply.refusal()
report(**seen)
"""
    with taken_over(programs, attack, memory_budget_bytes=256 * MIB, ready_sandboxes=0) as daemon:
        assert daemon.report() == {"1": "started", "2": "started", "3": boundary.CAPACITY}


def test_start_of_no_sandbox_is_ignored_as_one_that_crossed_an_answer(programs):
    attack = """
b.send(start(4711), [bundle("")])
b.prepared(1).close()
b.send(start(1), [bundle("pass")])
report(verdict=b.expect(FINISHED).verdict())
"""
    with taken_over(programs, attack) as daemon:
        assert daemon.report() == {"verdict": "COMPLETED"}
        assert len(daemon.dispatchers()) == 1


def test_hoarded_sandboxes_have_a_bound_and_do_not_outlive_their_session(programs):
    attack = """
seen = []
for sandbox in range(1, 21):
    b.send(prepare(sandbox))
    reply = b.expect(PREPARED, PREPARE_FAILED)
    seen.append("prepared" if reply.kind == PREPARED else reply.refusal())
report(seen=seen)
"""
    with taken_over(programs, attack, max_runs=8, ready_sandboxes=0) as daemon:
        assert daemon.report()["seen"] == ["prepared"] * 8 + [boundary.CAPACITY] * 12
        assert len(daemon.sandbox_pids()) == 16  # an init and a stub each
        os.kill(daemon.dispatchers()[0], 9)
        assert processes.wait_until(lambda: daemon.sandbox_pids() == [], scaled(1))


@pytest.mark.long
def test_hoarded_sandboxes_are_gone_after_a_minute(programs):
    with taken_over(programs, "held = [b.prepared(n) for n in range(1, 9)]\nreport(held=len(held))",
                    max_runs=8, ready_sandboxes=0) as daemon:
        assert daemon.report() == {"held": 8}
        assert len(daemon.sandbox_pids()) == 16
        assert processes.wait_until(lambda: daemon.sandbox_pids() == [], 60 + scaled(5), interval=0.5)


MAX_RUNS = 32
UNREAD = "does not read its answers"
FLOODS = {
    "of requests that are refused": ("while True: b.send(prepare(1, profile=b'none'))", UNREAD),
    "of bundles for no sandbox": ("while True: b.send(start(4711), [memfd(size=2 * MIB)])", "more sandboxes than there can be"),
    "of sandboxes that are canceled at once": ("n = 0\nwhile True:\n    n += 1; b.send(prepare(n)); b.send(cancel(n))", UNREAD),
    "of sandboxes that are canceled when they stand": ("""
n = 0
while True:
    for _ in range(32):
        n += 1; b.send(prepare(n))
    time.sleep(0.4)
    for sandbox in range(n - 31, n + 1):
        b.send(cancel(sandbox))
""", UNREAD),
}


@pytest.mark.parametrize("name", [name if "at once" not in name else pytest.param(name, marks=pytest.mark.long) for name in FLOODS])
def test_flood_without_reading_an_answer_costs_bounded_memory_and_ends_the_session(programs, name):
    attack, reason = FLOODS[name]
    with taken_over(programs, attack, max_runs=MAX_RUNS) as daemon:
        def cost():
            return processes.resident_bytes(daemon.pid), len(os.listdir(f"/proc/{daemon.pid}/fd"))

        before = cost()
        peak_bytes = peak_descriptors = 0
        while len(daemon.dispatchers()) < 2:
            bytes_now, descriptors = cost()
            peak_bytes, peak_descriptors = max(peak_bytes, bytes_now), max(peak_descriptors, descriptors)
            time.sleep(0.01)  # sampling; the time limit of tests ends it
        assert peak_bytes - before[0] < 32 * MIB
        # What waits in our queue, what waits in the socket, and that of the sandboxes themselves.
        assert peak_descriptors - before[1] < 5 * (2 * MAX_RUNS + 64) + 20 * MAX_RUNS
        daemon.wait_for_log(reason)


@pytest.mark.serial
def test_flood_of_requests_does_not_hold_up_a_deadline(programs):
    attack = """
import select
b.prepared(1).close()
b.send(start(1, wall_time_ms=1000), [bundle("import time; time.sleep(60)")])
b.expect(STARTED)
begin = time.monotonic()
finished = None
while finished is None:
    for _ in range(64):
        b.send(cancel(99))
    if select.select([b.socket], [], [], 0)[0]:
        finished = b.expect(FINISHED)
report(verdict=finished.verdict(), seconds=time.monotonic() - begin)
"""
    with taken_over(programs, attack) as daemon:
        report = daemon.report()
        assert report["verdict"] == "WALL_TIME_LIMIT"
        assert 0.9 < report["seconds"] < 1 + scaled(0.5)


def test_dispatcher_that_will_not_leave_does_not_hold_up_the_end(programs):
    attack = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
b.prepared(1)
b.send(start(1), [bundle("import time; time.sleep(600)")])
report(started=b.expect(STARTED).kind)
time.sleep(600)
"""
    with taken_over(programs, attack) as daemon:
        assert daemon.report() == {"started": boundary.STARTED}
        begin = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - begin < scaled(8)
