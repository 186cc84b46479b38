"""What is stored outlives the service: restarts, kills, a full disk, a damaged database, an old one, a clock that is set."""

import concurrent.futures
import errno
import os
import pathlib
import random
import signal
import sqlite3
import time

import grpc
import pytest

from support import processes, protos, stored
from support.client import Client, Refusal, request
from support.daemon import DaemonFailed
from support.environment import scaled

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"
REPEATS = 1000
KILLS = 12
MEGABYTE = 1024 * 1024


@pytest.fixture
def own(make_daemon):
    return make_daemon(profiles=["python", "bash"], ready_sandboxes=0)


def records_of(daemon):
    return pathlib.Path(daemon.config["records_dir"])


def kill_dispatcher(daemon):
    """SIGKILL, and a new one that serves."""
    old = daemon.dispatcher_pid()
    os.kill(old, signal.SIGKILL)
    assert processes.wait_until(lambda: daemon.dispatcher_pid() not in (None, old), scaled(20))


def retrying(call, seconds=30):
    """What a client does whose service is being started anew."""
    end = time.monotonic() + scaled(seconds)
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > end:
                raise
        time.sleep(0.02)


def refused(call):
    with pytest.raises(grpc.RpcError) as failed:
        call()
    return Refusal.of(failed.value)


def test_a_finished_run_and_its_output_are_there_after_a_restart(own, client_of):
    client = client_of(own)
    run = stored.create(client, request("print('kept')", request_id="kept", labels={"a": "b"}))
    before = stored.wait_finished(client, run.name)
    held = client.execute("print('held')")
    events = list(stored.Followed(client, run.name).call())
    assert own.stop() == 0
    own.start()
    client = client_of(own)
    assert stored.get(client, run.name) == before
    assert [event.WhichOneof("event") for event in stored.Followed(client, run.name).call()] == [
        event.WhichOneof("event") for event in events]
    assert stored.Followed(client, run.name).follow().stdout == b"kept\n"
    assert stored.get(client, held.name).result == held.result
    assert stored.create(client, request("print('kept')", request_id="kept", labels={"a": "b"})).name == run.name
    assert [one.name for one in stored.listed(client)] == [held.name, run.name]
    later = stored.create(client, request("pass"))
    assert stored.listed(client)[0].name == later.name
    stored.wait_finished(client, later.name)


def test_runs_in_flight_at_a_kill_end_as_failures_of_the_service(own, client_of):
    api = protos.load().run
    client = client_of(own)
    run = stored.create(client, request(WAITING))
    followed = stored.Followed(client, run.name)
    followed.follow_until(lambda: followed.stdout == b"here\n")
    held = client.start(request(WAITING))
    held.until_output(b"here")
    kill_dispatcher(own)
    held_name = next(event.accepted.name for event in held.events if event.WhichOneof("event") == "accepted")
    for name in (run.name, held_name):
        ended = retrying(lambda name=name: stored.get(client, name))
        assert (ended.state, ended.result.verdict, ended.result.ended_by) == (api.Run.FINISHED, api.SERVICE_FAILED, api.SERVICE)
        assert "ended while the run was in flight" in ended.result.message
    assert own.runs_are_gone()
    again = stored.Followed(client, run.name).follow()
    assert again.stdout == b"here\n", "what it had written is still there"
    assert again.result.stdout.bytes == 5


def test_one_request_id_makes_one_run_across_a_kill(own, client_of):
    """Clients that repeat until they are answered, while the service is killed between their calls."""
    message = request("open('/box/x', 'w').write('x'); print('once')", request_id="one")
    clients = [client_of(own) for _ in range(4)]
    sent = {"calls": 0}

    def send(client):
        names = set()
        for _ in range(REPEATS // len(clients)):
            names.add(retrying(lambda: stored.create(client, message)).name)
            sent["calls"] += 1
        return names

    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        results = [pool.submit(send, client) for client in clients]
        assert processes.wait_until(lambda: sent["calls"] > REPEATS // 4, scaled(60))
        kill_dispatcher(own)
        names = set().union(*(result.result() for result in results))
    assert len(names) == 1
    assert [run.name for run in stored.listed(clients[0])] == list(names)


@pytest.mark.slow
@pytest.mark.serial
def test_kills_at_random_moments_lose_no_finished_run_and_invent_none(own, client_of):
    api = protos.load().run
    rng = random.Random(11)
    told, asked = {}, set()  # name: result, of runs that some client saw finished
    for number in range(KILLS):
        client = client_of(own)
        pool = concurrent.futures.ThreadPoolExecutor(6)

        def work(client=client, number=number):
            for i in range(50):
                try:
                    run = stored.create(client, request(f"print({i}, 'x' * {rng.randrange(50_000)})"))
                    asked.add(run.name)
                    told[run.name] = stored.Followed(client, run.name).follow(20).result
                except grpc.RpcError as error:
                    assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), (number, error)
                    return

        futures = [pool.submit(work) for _ in range(6)]
        time.sleep(scaled(rng.uniform(0.05, 1.0)))
        if number % 3 == 2:
            own.kill9()
            own.start()
        else:
            kill_dispatcher(own)
        for future in futures:
            future.result()
    client = client_of(own)
    retrying(lambda: stored.listed(client))
    listed = {run.name: run for run in stored.listed(client, page_size=1000)}
    assert len(told) > KILLS
    for name, result in told.items():
        assert listed[name].result == result, name
        assert stored.Followed(client, name).follow().result == result
    assert asked <= set(listed)
    for run in listed.values():
        assert run.state == api.Run.FINISHED
    assert own.stop() == 0
    database = sqlite3.connect(records_of(own) / "records.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    count, total = database.execute("SELECT count(*), sum(bytes) FROM runs").fetchone()
    assert database.execute("SELECT records, bytes FROM usage").fetchone() == (count, total)
    ids = {row[0].hex() for row in database.execute("SELECT id FROM runs")}
    assert {path.name.split(".")[0] for path in (records_of(own) / "spool").iterdir()} <= ids


def test_a_full_disk_refuses_runs_and_loses_none(make_daemon, client_of):
    own = make_daemon(start=False, profiles=["python"], ready_sandboxes=0)
    records = own.config["records_dir"]
    plain = own.command
    # A file system of its own, in a mount namespace of its own: nothing of it is left on the host.
    mount = (f'mkdir -p {records} && mount -t tmpfs -o size=16m,mode=0700 records {records} && '
             f'chown caisson: {records} && exec "$0" "$@"')
    own.command = lambda *extra: ["unshare", "--mount", "sh", "-c", mount, *plain(*extra)]
    own.start()
    client = client_of(own)
    slow = ("import os, sys, time\nprint('here', flush=True)\nsys.stdin.read()\ntime.sleep(1.5)\n"
            "for _ in range(10): os.write(1, b'y' * 100_000)")
    run = stored.create(client, request(slow))
    followed = stored.Followed(client, run.name)
    followed.follow_until(lambda: followed.stdout == b"here\n")
    filler = pathlib.Path(f"/proc/{own.pid}/root{records}/filler")
    with open(filler, "wb", buffering=0) as file, pytest.raises(OSError) as full:
        while True:
            file.write(bytes(4096))
    assert full.value.errno == errno.ENOSPC
    full_disk = refused(lambda: stored.create(client, request("print(1)", request_id="full")))
    assert (full_disk.code, full_disk.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL")
    assert full_disk.retry_ms > 0
    held = client.execute("print('held')")
    assert held.stdout == b"held\n", "whose output goes to its client needs no disk"
    followed.follow()
    assert followed.stdout == b"here\n" + b"y" * 1_000_000, "its room had been taken before"
    assert followed.result.exit_code == 0
    filler.unlink()
    assert retry_until_created(client, request("print(1)", request_id="full")).name != run.name
    assert stored.get(client, held.name).result == held.result
    assert own.stop() == 0


def retry_until_created(client, message):
    end = time.monotonic() + scaled(20)
    while True:
        try:
            return stored.create(client, message)
        except grpc.RpcError as error:
            assert Refusal.of(error).reason == "STORAGE_FULL" and time.monotonic() < end, error
        time.sleep(0.1)


def test_volume_is_bounded_and_the_oldest_make_room(make_daemon, client_of):
    own = make_daemon(profiles=["python"], ready_sandboxes=0, records_bytes=8 * MEGABYTE)
    client = client_of(own)
    names = []
    for _ in range(8):
        run = stored.create(client, request("import os\nfor _ in range(16): os.write(1, b'z' * 65536)"))
        stored.wait_finished(client, run.name)
        names.append(run.name)
    kept = [run.name for run in stored.listed(client)]
    assert kept == list(reversed(names))[:len(kept)] and 3 <= len(kept) < len(names)
    assert refused(lambda: stored.get(client, names[0])).reason == "RUN_NOT_FOUND"
    assert refused(lambda: list(stored.Followed(client, names[0]).call())).reason == "RUN_NOT_FOUND"
    stored_bytes = sum(path.stat().st_blocks * 512 for path in (records_of(own) / "spool").iterdir())
    assert stored_bytes <= 8 * MEGABYTE
    large = request("pass", limits={"output_bytes": 60 * MEGABYTE})
    assert refused(lambda: stored.create(client, large)).reason == "STORAGE_FULL"
    assert [run.name for run in stored.listed(client)] == kept, "what cannot fit removes nothing"


def test_runs_are_forgotten_after_their_time(make_daemon, client_of):
    own = make_daemon(profiles=["python"], ready_sandboxes=0, records_keep_seconds=2)
    client = client_of(own)
    run = stored.create(client, request("print(1)", request_id="again"))
    stored.wait_finished(client, run.name)
    assert processes.wait_until(lambda: stored.listed(client) == [], scaled(30), 0.2)
    assert list((records_of(own) / "spool").iterdir()) == []
    assert stored.create(client, request("print(1)", request_id="again")).name != run.name


def damaged(daemon, damage):
    """The log of a daemon that must not start."""
    assert daemon.stop() == 0
    damage(records_of(daemon))
    with pytest.raises(DaemonFailed) as failure:
        daemon.start()
    assert failure.value.code == 1
    return "".join(failure.value.log)


def overwrite(records):
    for name in ("records.db", "records.db-wal"):
        path = records / name
        if path.exists():
            content = bytearray(path.read_bytes())
            content[4096:] = random.Random(1).randbytes(max(len(content) - 4096, 0))
            path.write_bytes(content)


def replace(records):
    (records / "records.db").write_bytes(b"not SQLite at all" * 1000)
    (records / "records.db-wal").unlink(missing_ok=True)  # which would mend it


@pytest.mark.parametrize("name, damage, words", [
    ("damaged", overwrite, ["is damaged", "mv "]),
    ("no_database", replace, ["is damaged", "mv "]),
    ("foreign", lambda records: execute(records, "PRAGMA application_id = 1"), ["is not a database of Caisson's", "records_dir"]),
    ("newer", lambda records: execute(records, "PRAGMA user_version = 99"), ["has schema version 99", "Start the version that wrote it"]),
])
def test_records_that_cannot_be_used_are_refused_at_the_start_with_what_to_do(own, client_of, name, damage, words):  # pylint: disable=unused-argument
    client = client_of(own)
    for _ in range(3):
        stored.wait_finished(client, stored.create(client, request("print('x' * 1000)")).name)
    log = damaged(own, damage)
    assert all(word in log for word in words), log
    assert "ready" not in log


def test_a_dispatcher_that_cannot_serve_ends_caissond_at_the_first_try(make_daemon):
    """It used to close the boundary before it ended, was killed for that more often than not, and was started again and again."""
    own = make_daemon(profiles=["python"], ready_sandboxes=0)
    assert own.stop() == 0
    replace(records_of(own))
    for _ in range(10):
        with pytest.raises(DaemonFailed) as failure:
            own.start()
        assert failure.value.code == 1
        log = "".join(failure.value.log)
        assert "ended (exit code 78)" in log and "ended (signal" not in log, log


def execute(records, sql):
    database = sqlite3.connect(records / "records.db")
    database.execute(sql)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def test_a_second_daemon_cannot_have_the_same_records(own, make_daemon):
    other = make_daemon(start=False, profiles=["python"], records_dir=own.config["records_dir"])
    with pytest.raises(DaemonFailed) as failure:
        other.start()
    assert "in use by another process" in "".join(failure.value.log)


def test_records_directory_that_others_can_read_is_refused(make_daemon):
    own = make_daemon(start=False, profiles=["python"])
    records_of(own).mkdir(mode=0o755)
    with pytest.raises(DaemonFailed) as failure:
        own.start()
    assert "must be the dispatcher's user's alone" in "".join(failure.value.log)


def test_a_spool_that_disappears_is_a_clear_error_and_nothing_else_breaks(own, client_of):
    client = client_of(own)
    kept = stored.create(client, request("print('kept')"))
    stored.wait_finished(client, kept.name)
    for path in (records_of(own) / "spool").iterdir():
        path.unlink()
    (records_of(own) / "spool").rmdir()
    gone = refused(lambda: stored.create(client, request("print(1)")))
    assert (gone.code, gone.reason) == (grpc.StatusCode.INTERNAL, "STORAGE_FAILED")
    assert processes.wait_until(lambda: any("make a spool file" in line for line in own.log), scaled(10))
    assert client.execute("print('held')").stdout == b"held\n"
    assert stored.get(client, kept.name).result.exit_code == 0
    assert refused(lambda: list(stored.Followed(client, kept.name).call())).reason in ("RUN_NOT_FOUND", "STORAGE_FAILED")
    assert own.stop() == 0
    own.start()
    again = stored.create(client_of(own), request("print(1)"))
    assert stored.Followed(client_of(own), again.name).follow().stdout == b"1\n"
