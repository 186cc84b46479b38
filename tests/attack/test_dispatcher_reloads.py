"""RELOAD by a program in the dispatcher's place: it says nothing of what is read, and is had no oftener than caissond says."""

import os
import pathlib
import tempfile
import time

import pytest

from support.environment import scaled
from taken_over import taken_over

# What a RELOADED says: outcome, wait_ms, message.
PARTS = """
import struct
def reloaded():
    outcome, _, wait_ms, text = struct.unpack_from("<IIQ2048s", b.expect(RELOADED).body)
    return outcome, wait_ms, text.rstrip(b"\\0").decode()
"""
TAKEN, FAULTY = 1, 2


@pytest.fixture(name="reachable")
def fixture_reachable():
    """A directory that the dispatcher's user can look into."""
    with tempfile.TemporaryDirectory(prefix="caisson-reloads-", dir="/run") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


@pytest.fixture(name="admins")
def fixture_admins(tmp_path):
    """The configuration of a daemon that has a listener of admins."""
    os.chmod(tmp_path, 0o755)
    return {"listeners": [{"socket": f"unix:{tmp_path}/admin.sock", "role": "admin", "peer_users": ["root"]}]}


def lines_with(daemon, text):
    return [line for line in list(daemon.log) if text in line]


def test_reload_sooner_than_permitted_ends_the_session(programs, admins):
    with taken_over(programs, PARTS + "b.send(reload()); reloaded(); b.send(reload())", **admins) as daemon:
        daemon.wait_for_next_dispatcher()
        first = daemon.dispatchers()[0]
        assert [line for line in lines_with(daemon, f"dispatcher {first}: ") if "RELOAD is permitted no sooner" in line]


def test_flood_of_reloads_has_the_files_read_once(programs, admins):
    with taken_over(programs, "for _ in range(1000): b.send(reload())", **admins) as daemon:
        daemon.wait_for_next_dispatcher()
        # A new dispatcher, which has asked for nothing, is not to blame.
        assert len(daemon.dispatchers()) == 2
        assert len(lines_with(daemon, "asks to reload")) == 1


def test_reload_is_answered_again_after_the_time_that_was_said(programs, admins):
    attack = PARTS + """
begin = time.monotonic()
said = []
for _ in range(3):
    b.send(reload())
    said.append(reloaded())
    time.sleep(said[-1][1] / 1000)
report(said=said, took=time.monotonic() - begin)
"""
    begin = time.monotonic()
    with taken_over(programs, attack, **admins) as daemon:
        report = daemon.report()
        assert [(outcome, text) for outcome, _, text in report["said"]] == [(TAKEN, "")] * 3
        assert all(wait_ms >= 1000 for _, wait_ms, _ in report["said"])
        assert 3 <= report["took"] < time.monotonic() - begin
        assert len(daemon.dispatchers()) == 1


def test_faults_of_the_files_are_all_that_it_is_told(programs, admins, reachable):
    """Also where there is more to say than a message holds."""
    folder = reachable / "policies"
    folder.mkdir(mode=0o755)
    good = folder / "default.json"
    good.write_text('{"schema_version": 1, "tenant": "default", "profiles": ["*"]}')
    os.chmod(good, 0o644)
    attack = PARTS + f"""
while not os.path.exists({str(reachable / 'spoilt')!r}):
    time.sleep(0.01)
b.send(reload())
report(said=reloaded())
"""
    with taken_over(programs, attack, tenants_dir=str(folder), **admins) as daemon:
        keys = "".join(f', "unknown{number}": 1' for number in range(100))
        good.write_text(f'{{"schema_version": 1, "tenant": "default", "profiles": ["*"]{keys}}}')
        (reachable / "spoilt").touch()
        outcome, _, text = daemon.report(timeout=scaled(30))["said"]
        assert outcome == FAULTY and len(text) == 2047
        assert text.startswith(f"{good}:1: unknown0: unknown key")
        assert len(daemon.dispatchers()) == 1
        daemon.wait_for_log("not reloaded, what was in force stays")
