"""Runs that outlive their calls: CreateRun, FollowRun from where one is, GetRun, ListRuns and CancelRun over what is stored."""

import concurrent.futures
import hashlib
import random
import threading

import grpc
import pytest

from support import processes, protos, stored
from support.client import Client, Refusal, request
from support.environment import scaled

MEGABYTE = 1_000_000
OUTPUT_BYTES = 10 * MEGABYTE
CUTS = 100
REPEATS = 200

# The same bytes to both streams, in pieces that have nothing to do with ours, so that a byte's place says what it must be.
TALKER = f"""
import os, random
text = {{1: random.Random(1).randbytes({OUTPUT_BYTES}), 2: random.Random(2).randbytes({OUTPUT_BYTES})}}
cut = random.Random(3)
done = {{1: 0, 2: 0}}
while done[1] < {OUTPUT_BYTES} or done[2] < {OUTPUT_BYTES}:
    for fd in (1, 2):
        piece = text[fd][done[fd]:done[fd] + cut.randrange(1, 100_000)]
        if piece:
            done[fd] += os.write(fd, piece)
"""
WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


@pytest.fixture
def client(stored_daemon):
    one = Client(stored_daemon.address)
    yield one
    one.close()


@pytest.fixture(name="api")
def api_fixture():
    return protos.load().run


def refusal_of(call):
    with pytest.raises(grpc.RpcError) as failed:
        result = call()
        if hasattr(result, "__iter__"):
            list(result)
    return Refusal.of(failed.value)


def test_a_created_run_goes_on_without_its_client_and_is_followed_to_its_end(client, stored_daemon, api):
    one = Client(stored_daemon.address)
    run = stored.create(one, request("import sys; print('out'); print('err', file=sys.stderr); raise SystemExit(3)",
                                     labels={"team": "a"}))
    one.close()
    assert run.name.startswith("runs/") and run.followable and dict(run.labels) == {"team": "a"}
    followed = stored.Followed(client, run.name).follow()
    assert (followed.stdout, followed.stderr, followed.result.exit_code) == (b"out\n", b"err\n", 3)
    kinds = [event.WhichOneof("event") for event in followed.events]
    assert kinds[:2] == ["accepted", "started"] and kinds[-2:] == ["step_finished", "finished"]
    ended = stored.get(client, run.name)
    assert ended.state == api.Run.FINISHED and ended.result == followed.result
    assert ended.create_time.ToNanoseconds() <= ended.end_time.ToNanoseconds()
    assert ended.result.stdout.delivered_bytes == 4


def test_two_clients_follow_one_run_while_it_runs_and_one_afterwards(client):
    run = stored.create(client, request("import time\nfor i in range(20):\n print(i, flush=True)\n time.sleep(0.05)"))
    followers = [stored.Followed(client, run.name) for _ in range(3)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda one: one.follow(), followers[:2]))
    followers[2].follow()
    expected = b"".join(b"%d\n" % i for i in range(20))
    assert [one.stdout for one in followers] == [expected] * 3
    assert [list(one.result.steps) for one in followers[1:]] == [list(followers[0].result.steps)] * 2


@pytest.mark.slow
@pytest.mark.serial
def test_client_cut_off_at_random_offsets_gets_every_byte_exactly_once(client, stored_daemon):
    run = stored.create(client, request(TALKER, limits={"output_bytes": 2 * OUTPUT_BYTES, "wall_time_ms": 120_000}))
    rng = random.Random(5)
    followed = stored.Followed(client, run.name)
    total = 2 * OUTPUT_BYTES
    cuts = sorted(rng.randrange(total) for _ in range(CUTS))
    done = 0
    for cut in cuts:
        one = Client(stored_daemon.address)  # a connection of its own each time
        followed._client = one  # pylint: disable=protected-access
        ended = followed.follow_until(lambda cut=cut: len(followed.stdout) + len(followed.stderr) >= cut)
        one.close()
        assert not ended
        done += 1
    assert done == CUTS
    followed._client = client  # pylint: disable=protected-access
    followed.follow()
    for number, have in ((1, followed.stdout), (2, followed.stderr)):
        assert len(have) == OUTPUT_BYTES
        assert hashlib.sha256(have).digest() == hashlib.sha256(random.Random(number).randbytes(OUTPUT_BYTES)).digest()
    assert followed.result.stdout.bytes == followed.result.stderr.bytes == OUTPUT_BYTES


def test_output_files_and_a_compiler_s_words_are_stored_too(client):
    source = '#warning "listen"\n#include <stdio.h>\nint main(void) { FILE *f = fopen("out.txt", "w"); fputs("kept", f); return fclose(f); }'
    run = stored.create(client, request(profile="c", files={"main.c": source}, output_paths=["out.txt"]))
    followed = stored.Followed(client, run.name).follow()
    assert b"listen" in followed.bytes["compile", "stderr"]
    assert {path: bytes(content) for path, content in followed.files.items()} == {"out.txt": b"kept"}
    assert [out.path for out in followed.result.outputs] == ["out.txt"]
    kinds = [event.WhichOneof("event") for event in followed.events]
    assert kinds.index("step_finished") < kinds.index("output_file") < kinds.index("finished")


def test_output_that_nobody_follows_does_not_hold_the_program_up(client):
    run = stored.create(client, request("import os\nfor _ in range(64): os.write(1, b'x' * 100_000)",
                                        limits={"output_bytes": 5 * MEGABYTE}))
    ended = stored.wait_finished(client, run.name)
    assert ended.result.exit_code == 0
    assert (ended.result.stdout.bytes, ended.result.stdout.delivered_bytes, ended.result.stdout.truncated) == (
        64 * 100_000, 5 * MEGABYTE, True)
    assert stored.Followed(client, run.name).follow().stdout == b"x" * 5 * MEGABYTE


def test_canceled_while_it_runs_and_while_it_waits(client, api):
    run = stored.create(client, request(WAITING))
    followed = stored.Followed(client, run.name)
    assert not followed.follow_until(lambda: followed.stdout == b"here\n")
    client.stub.CancelRun(api.CancelRunRequest(name=run.name), timeout=scaled(10))
    followed.follow()
    assert (followed.result.verdict, followed.result.ended_by) == (api.CANCELED, api.CLIENT)
    again = client.stub.CancelRun(api.CancelRunRequest(name=run.name), timeout=scaled(10))
    assert again.state == api.Run.FINISHED


def test_same_request_id_is_one_run_however_often_and_at_once_it_is_sent(client, stored_daemon, api):
    message = request("print('once')", request_id="job:1", env={f"K{i}": "v" for i in range(20)})
    barrier = threading.Barrier(8)

    def send(_):
        one = Client(stored_daemon.address)
        barrier.wait()
        names = {stored.create(one, message).name for _ in range(REPEATS // 8)}
        one.close()
        return names

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        names = set().union(*pool.map(send, range(8)))
    assert len(names) == 1
    assert stored.wait_finished(client, *names).request_id == "job:1"
    assert stored.create(client, message).state == api.Run.FINISHED
    assert len(stored.listed(client, "request_id = job:1")) == 1
    other = refusal_of(lambda: stored.create(client, request("print('twice')", request_id="job:1")))
    assert (other.code, other.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


@pytest.mark.parametrize("field, value", [("request_id", "with space"), ("request_id", "x" * 129), ("priority", 11),
                                          ("minimum_isolation", "microvm")])
def test_what_create_refuses_it_names(client, field, value):
    refused = refusal_of(lambda: stored.create(client, request("pass", **{field: value})))
    assert refused.fields == [field]


def test_only_create_takes_a_request_id(client):
    refused = client.refused(request("pass", request_id="x"))
    assert (refused.reason, refused.fields) == ("FIELD_NOT_SUPPORTED", ["request_id"])


def test_follow_of_what_cannot_be_followed_says_why(client, api):
    run = stored.create(client, request("print('12345')"))
    stored.wait_finished(client, run.name)
    follow = client.stub.FollowRun
    unknown = refusal_of(lambda: follow(api.FollowRunRequest(name="runs/" + "0" * 32), timeout=scaled(10)))
    assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "RUN_NOT_FOUND")
    malformed = refusal_of(lambda: follow(api.FollowRunRequest(name="runs/../x"), timeout=scaled(10)))
    assert malformed.fields == ["name"]
    held = client.execute("print('held')")
    elsewhere = refusal_of(lambda: follow(api.FollowRunRequest(name=held.name), timeout=scaled(10)))
    assert (elsewhere.code, elsewhere.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "OUTPUT_NOT_STORED")

    def at(**offset):
        return api.FollowRunRequest(name=run.name, offsets=[offset])

    assert list(follow(at(stream=api.STREAM_STDOUT, offset=6), timeout=scaled(10)))[-1].finished.exit_code == 0
    for offset in (7, 2 ** 63, 2 ** 64 - 1):
        beyond = refusal_of(lambda offset=offset: follow(at(stream=api.STREAM_STDOUT, offset=offset), timeout=scaled(10)))
        assert (beyond.code, beyond.reason) == (grpc.StatusCode.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE")
    for wrong in (dict(stream=api.STREAM_UNSPECIFIED), dict(stream=api.STREAM_STDOUT, step="link")):
        assert refusal_of(lambda wrong=wrong: follow(at(**wrong), timeout=scaled(10))).fields == ["offsets[0]"]
    twice = api.FollowRunRequest(name=run.name, offsets=[dict(stream=api.STREAM_STDOUT)] * 2)
    assert refusal_of(lambda: follow(twice, timeout=scaled(10))).fields == ["offsets[1]"]


def test_runs_are_listed_page_by_page_and_by_filter(client, api):
    names = []
    for number in range(7):
        run = stored.create(client, request(f"raise SystemExit({number % 2})", labels={"batch": "seven", "odd": str(number % 2)}))
        names.append(run.name)
    live = stored.create(client, request(WAITING, labels={"batch": "seven"}))
    held = client.execute("print(1)", labels={"batch": "seven"})
    for name in names:
        stored.wait_finished(client, name)
    everything = 'labels.batch = "seven"'
    assert [run.name for run in stored.listed(client, everything, page_size=2)] == [held.name, live.name, *reversed(names)]
    odd = stored.listed(client, everything + " AND labels.odd = 1 AND state = FINISHED AND profile = python AND verdict = COMPLETED")
    assert [run.name for run in odd] == list(reversed(names[1::2]))
    assert {run.name for run in stored.listed(client, everything + " AND state != FINISHED")} == {live.name}
    assert stored.listed(client, everything + " AND create_time < 2020-01-01T00:00:00Z") == []
    wrong = refusal_of(lambda: client.stub.ListRuns(api.ListRunsRequest(filter="state"), timeout=scaled(10)))
    assert wrong.fields == ["filter"]
    client.stub.CancelRun(api.CancelRunRequest(name=live.name), timeout=scaled(10))
    stored.wait_finished(client, live.name)


def test_follower_that_reads_nothing_costs_neither_the_run_nor_memory(client, stored_daemon):
    run = stored.create(client, request("import os\nfor _ in range(100): os.write(1, b'x' * 65536)",
                                        limits={"output_bytes": 8 * MEGABYTE}))
    calls = [stored.Followed(client, run.name).call() for _ in range(20)]
    assert stored.wait_finished(client, run.name).result.exit_code == 0
    assert processes.resident_bytes(stored_daemon.dispatcher_pid()) < 400 * 1024 * 1024
    for call in calls:
        call.cancel()
