"""Files that come back: which, how, in which order, and what happens to everything that is no ordinary file."""

import hashlib
import os
import stat
import time

import pytest

from support import processes
from support.client import Client, request
from support.environment import scaled

MIB = 1024 * 1024


def collected(outcome):
    """{path: content}, held to what the events promise: pieces in order, files one after the other, after the output."""
    files, current, seen_file = {}, None, False
    for event in outcome.events:
        kind = event.WhichOneof("event")
        assert not (seen_file and kind == "output"), "output after a file"
        if kind != "output_file":
            continue
        seen_file = True
        piece = event.output_file
        assert len(piece.data) <= 64 * 1024
        if piece.path != current:
            assert piece.path not in files, "a file's pieces are apart"
            assert current is None or len(files[current][0]) == files[current][1], "the next file began too early"
            current = piece.path
            files[current] = (bytearray(), piece.size_bytes)
        assert piece.offset == len(files[current][0]) and piece.size_bytes == files[current][1]
        files[current][0].extend(piece.data)
    return {path: bytes(content) for path, (content, _) in files.items()}


def refused(outcome):
    names = outcome.result.DESCRIPTOR.fields_by_name["refused_outputs"].message_type.enum_types_by_name["Reason"]
    return {one.path: names.values_by_number[one.reason].name for one in outcome.result.refused_outputs}


def test_files_and_directories_come_back_with_size_and_digest(client):
    outcome = client.execute(
        "import os\nos.makedirs('out/deep')\nopen('out/a', 'w').write('first')\nopen('out/deep/b', 'wb').write(bytes(range(256)))\n"
        "open('tool', 'w').write('#!')\nos.chmod('tool', 0o755)\nopen('not asked for', 'w').write('x')",
        output_paths=["out", "tool"])
    files = collected(outcome)
    assert files == {"out/a": b"first", "out/deep/b": bytes(range(256)), "tool": b"#!"}
    listed = {one.path: one for one in outcome.result.outputs}
    assert set(listed) == set(files)
    for path, content in files.items():
        assert listed[path].size_bytes == len(content)
        assert listed[path].digest == "sha256:" + hashlib.sha256(content).hexdigest()
    assert [one.path for one in listed.values() if one.executable] == ["tool"]
    assert not outcome.result.refused_outputs and not outcome.result.outputs_incomplete


def test_order_of_the_result_is_that_of_the_events(client):
    outcome = client.execute("for n in range(50): open(f'f{n}', 'w').write(str(n))", output_paths=["."])
    assert list(collected(outcome)) == [one.path for one in outcome.result.outputs]


def test_all_of_box_is_the_dot(client):
    outcome = client.execute("open('made', 'w').write('x')", output_paths=["."])
    assert set(collected(outcome)) == {"main.py", "made"}


def test_empty_file_is_one_piece_without_data(client):
    outcome = client.execute("open('empty', 'w')", output_paths=["empty"])
    pieces = [event.output_file for event in outcome.events if event.WhichOneof("event") == "output_file"]
    assert [(piece.path, piece.data, piece.size_bytes) for piece in pieces] == [("empty", b"", 0)]
    assert outcome.result.outputs[0].digest == "sha256:" + hashlib.sha256(b"").hexdigest()


@pytest.mark.bulk
def test_large_file_comes_in_pieces_and_whole(client):
    # Bytes that repeat nowhere at once, from calls that do the work in C: 22 MB of them cost an emulated machine time too.
    outcome = client.execute("import hashlib, random\ndata = random.Random(7).randbytes(22_400_000)\n"
                             "open('big', 'wb').write(data)\nprint(hashlib.sha256(data).hexdigest())",
                             output_paths=["big"], limits={"disk_bytes": 64 * MIB, "memory_bytes": 256 * MIB,
                                                           "wall_time_ms": int(scaled(10_000)), "cpu_time_ms": int(scaled(10_000))})
    assert outcome.verdict() == "COMPLETED", outcome.result
    content = collected(outcome)["big"]
    assert len(content) == 22_400_000
    assert hashlib.sha256(content).hexdigest() == outcome.stdout.decode().strip()


def test_files_come_back_however_the_program_ended(client):
    # The limit on CPU time only where it is to strike: starting Python alone takes more of it on an emulated machine.
    for tail, verdict, limits in (("raise SystemExit(3)", "COMPLETED", {}), ("import os; os.kill(os.getpid(), 6)", "SIGNALED", {}),
                                  ("while True: pass", "CPU_TIME_LIMIT", {"cpu_time_ms": int(scaled(500)), "wall_time_ms": int(scaled(10_000))}),
                                  ("x = bytearray(200 << 20)", "MEMORY_LIMIT", {})):
        outcome = client.execute(f"open('log', 'w').write('so far')\n{tail}", output_paths=["log"],
                                 limits={"memory_bytes": 64 * MIB} | limits)
        assert outcome.verdict() == verdict
        assert collected(outcome) == {"log": b"so far"}


def test_what_is_no_ordinary_file_is_refused_with_its_reason(client):
    outcome = client.execute(
        "import os, socket\nos.mkdir('out')\nos.chdir('out')\n"
        "os.symlink('/etc/passwd', 'link')\nos.symlink('.', 'loop')\nos.symlink('nowhere', 'dangling')\nos.mkfifo('fifo')\n"
        "f = open('sparse', 'wb'); f.truncate(32 << 20); f.close()\nopen('ok', 'w').write('ok')", output_paths=["out", "gone"])
    assert collected(outcome) == {"out/ok": b"ok"}
    reasons = refused(outcome)
    assert reasons == {"out/link": "LINK", "out/loop": "LINK", "out/dangling": "LINK", "out/fifo": "NOT_A_FILE",
                       "out/sparse": "SPARSE", "gone": "NOT_FOUND"}
    assert all(one.message.endswith(".") for one in outcome.result.refused_outputs)


def test_small_holes_come_back_as_zeros(client):
    outcome = client.execute("f = open('f', 'wb'); f.truncate(1 << 20); f.close()", output_paths=["f"])
    assert collected(outcome) == {"f": bytes(MIB)}


def test_link_on_the_way_to_an_output_path_is_not_followed(client):
    outcome = client.execute("import os\nos.symlink('/etc', 'out')", output_paths=["out/passwd", "out"])
    assert collected(outcome) == {}
    assert set(refused(outcome).values()) == {"LINK"}


def test_names_that_are_no_text_are_refused_and_told_escaped(client):
    outcome = client.execute("open(b'a\\xff', 'w').write('x')\nopen('b\\n\\x1b[2J', 'w').write('y')\nopen('c\\u00e9', 'w').write('z')",
                             output_paths=["."])
    assert set(collected(outcome)) == {"main.py", "c\u00e9"}
    assert refused(outcome) == {"a\\xff": "INVALID_NAME", "b\\x0a\\x1b[2J": "INVALID_NAME"}


def test_no_more_files_than_1024_come_back(client):
    outcome = client.execute("import os\nos.mkdir('o')\nfor n in range(1100): open(f'o/{n:04}', 'w').write('x')", output_paths=["o"])
    assert len(outcome.result.outputs) == len(collected(outcome)) == 1024
    assert set(refused(outcome).values()) == {"TOO_MANY"}
    assert len(refused(outcome)) + outcome.result.refused_outputs_unlisted == 1100 - 1024


def test_refusals_beyond_256_are_counted(client):
    outcome = client.execute("import os\nos.mkdir('o')\nfor n in range(700): os.symlink('x', f'o/{n}')", output_paths=["o"])
    assert len(outcome.result.refused_outputs) == 256
    assert outcome.result.refused_outputs_unlisted == 700 - 256


@pytest.mark.bulk
def test_more_than_256_mib_do_not_come_back(client):
    outcome = client.execute("for n in range(5):\n    with open(f'f{n}', 'wb') as f:\n        for _ in range(64): f.write(b'x' * (1 << 20))",
                             output_paths=[f"f{n}" for n in range(5)], timeout=90,
                             limits={"disk_bytes": 512 * MIB, "memory_bytes": 1024 * MIB, "wall_time_ms": 60_000, "cpu_time_ms": 60_000})
    assert sum(one.size_bytes for one in outcome.result.outputs) == 256 * MIB
    assert list(refused(outcome).values()) == ["TOO_LARGE"]


def test_who_asks_for_nothing_gets_no_files(client):
    outcome = client.execute("open('made', 'w').write('x')")
    assert collected(outcome) == {} and not outcome.result.outputs and not outcome.result.outputs_incomplete


@pytest.mark.bulk
def test_slow_reader_of_files_costs_bounded_memory_and_gets_them_all(client, daemon):
    dispatcher = daemon.dispatcher_pid()
    other = Client(daemon.address)
    before = processes.resident_bytes(dispatcher)
    call = other.start(request("import os\nwith open('big', 'wb') as f:\n    for _ in range(96): f.write(os.urandom(1 << 20))",
                               output_paths=["big"],
                               limits={"disk_bytes": 256 * MIB, "memory_bytes": 512 * MIB, "file_size_bytes": 256 * MIB}))
    call.until("output_file")
    peak, deadline = 0, time.monotonic() + 2
    while time.monotonic() < deadline:  # nothing is read: this is the thing under test
        peak = max(peak, processes.resident_bytes(dispatcher) - before)
        client.info()
    assert peak < 16 * MIB
    outcome = call.finish()
    assert outcome.result.outputs[0].size_bytes == 96 * MIB
    assert not outcome.result.outputs_incomplete
    other.close()


def test_client_that_goes_away_while_files_come_leaves_nothing(client, daemon):
    other = Client(daemon.address)
    call = other.start(request("with open('big', 'wb') as f:\n    for _ in range(60): f.write(b'x' * (1 << 20))", output_paths=["big"]))
    name = call.until("accepted").accepted.name
    call.until("output_file")
    call.cancel()
    other.close()
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(5))
    get = client.api.run.GetRunRequest(name=name)
    assert processes.wait_until(lambda: client.unary("GetRun", get)[0].state == client.api.run.Run.FINISHED, scaled(5))
    run, _ = client.unary("GetRun", get)
    assert client.api.run.Verdict.Name(run.result.verdict) == "COMPLETED"  # the program had ended before
    assert run.result.outputs_incomplete


def test_collected_files_are_listed_with_the_run_afterwards(client):
    outcome = client.execute("open('a', 'w').write('x')", output_paths=["a"])
    run, _ = client.unary("GetRun", client.api.run.GetRunRequest(name=outcome.name))
    assert run.result.outputs == outcome.result.outputs


def test_input_that_was_not_changed_comes_back_as_it_was(client):
    message = request("pass", output_paths=["data/in", "tool"])
    message.files.add(path="data/in", content=b"same")
    message.files.add(path="tool", content=b"", executable=True)
    outcome = client.send(message)
    assert collected(outcome) == {"data/in": b"same", "tool": b""}
    assert {one.path: one.executable for one in outcome.result.outputs} == {"data/in": False, "tool": True}


@pytest.mark.parametrize("mode", [0o000, 0o200])
def test_file_without_a_reader_comes_back(client, mode):
    outcome = client.execute(f"import os\nopen('closed', 'w').write('x')\nos.chmod('closed', {mode})", output_paths=["closed"])
    assert stat.S_IMODE(mode) == mode and os.geteuid() == 0
    assert collected(outcome) == {"closed": b"x"}


def test_feature_is_announced(client):
    assert "output_files" in client.info().features
