"""Output arrives while the program runs, with offsets; standard input is there from the start."""

import hashlib
import subprocess
import threading
import time

import pytest

from support.client import Client, request
from support.environment import CAISSON, REPOSITORY, scaled

THREE_SECONDS = """
import sys, time
word = sys.stdin.read().strip()
for second in range(4):
    print("out", second, word, flush=True)
    print("err", second, file=sys.stderr, flush=True)
    if second < 3:
        time.sleep(1)
sys.exit(3)
"""


@pytest.fixture(scope="module")
def command_line(daemon):
    """`caisson run` of a program of three seconds: the process, the thread that reads its output, and (time, line) of that."""
    program = REPOSITORY / "examples" / "streams.py"
    process = subprocess.Popen([CAISSON, "run", "--socket", daemon.address, program], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write("hi")
    process.stdin.close()
    lines = []
    reader = threading.Thread(target=lambda: lines.extend((time.monotonic(), line) for line in process.stdout))
    reader.start()
    yield process, reader, lines
    reader.join()
    process.stdout.close()
    process.stderr.close()


@pytest.fixture(scope="module")
def three_seconds(daemon, command_line):  # pylint: disable=redefined-outer-name,unused-argument
    """A call of three seconds; the command line's program runs meanwhile."""
    connection = Client(daemon.address)
    yield connection.execute(THREE_SECONDS, stdin=b"word")
    connection.close()


@pytest.mark.serial
def test_lines_arrive_as_they_are_printed(three_seconds):
    outcome = three_seconds
    times = [at for event, at in zip(outcome.events, outcome.times) if event.WhichOneof("event") == "output"]
    assert times[-1] - times[0] > 2.8
    assert outcome.stdout == b"".join(b"out %d word\n" % n for n in range(4))
    assert outcome.stderr == b"".join(b"err %d\n" % n for n in range(4))
    assert outcome.verdict() == "COMPLETED"
    assert outcome.result.exit_code == 3


@pytest.mark.serial
def test_each_line_comes_about_a_second_after_the_one_before(client, three_seconds):
    stdout = client.api.run.STREAM_STDOUT
    ends = [at for event, at in zip(three_seconds.events, three_seconds.times) if event.WhichOneof("event") == "output"
            and event.output.stream == stdout and event.output.data.endswith(b"\n")]
    assert len(ends) == 4
    for earlier, later in zip(ends, ends[1:]):
        assert 0.7 < later - earlier < 1 + scaled(0.5)


@pytest.mark.serial
def test_command_line_passes_lines_through_at_once_and_exits_3(command_line):
    process, reader, lines = command_line
    reader.join(scaled(10))
    errors = process.stderr.read()
    assert process.wait(scaled(10)) == 3
    assert [line for _, line in lines] == ["stdin said: hi\n", "second 1\n", "second 2\n", "second 3\n"]
    assert lines[-1][0] - lines[0][0] > 2.8
    assert errors.splitlines() == [f"and a word on stderr, {n}" for n in (1, 2, 3)]


def test_offsets_continue_within_each_stream(client):
    outcome = client.execute("import os\nfor i in range(50):\n  os.write(1, b'a' * 10000)\n  os.write(2, b'b' * 100)\n")
    expected = {}
    for event in outcome.events:
        if event.WhichOneof("event") == "output":
            output = event.output
            assert output.offset == expected.get(output.stream, 0)
            assert 0 < len(output.data) <= 65536
            expected[output.stream] = output.offset + len(output.data)
    run = client.api.run
    assert expected == {run.STREAM_STDOUT: 500_000, run.STREAM_STDERR: 5_000}
    assert outcome.result.stdout.bytes == outcome.result.stdout.delivered_bytes == 500_000
    assert not outcome.result.stdout.truncated


def test_sequence_numbers_count_from_one_without_gaps(client):
    outcome = client.execute("print(1)")
    assert [event.sequence for event in outcome.events] == list(range(1, len(outcome.events) + 1))


def test_events_come_in_the_documented_order(client):
    kinds = client.execute("print(1)").kinds()
    first_seen = list(dict.fromkeys(kind for kind in kinds if kind in ("accepted", "started", "output", "finished")))
    assert first_seen == ["accepted", "started", "output", "finished"]
    assert kinds[-1] == "finished" and kinds.count("finished") == 1


def test_large_standard_input_arrives_whole(client):
    data = bytes(range(256)) * 4096  # 1 MiB, far more than a pipe holds
    source = "import sys, hashlib\nprint(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
    assert client.execute(source, stdin=data).stdout.decode().strip() == hashlib.sha256(data).hexdigest()


def test_program_that_ignores_its_input_still_ends(client):
    outcome = client.execute("print('done')", stdin=b"x" * 4_000_000)
    assert outcome.verdict() == "COMPLETED"
    assert outcome.stdout == b"done\n"


def test_empty_standard_input_is_at_its_end(client):
    assert client.execute("import sys; print(repr(sys.stdin.read()))").stdout == b"''\n"


def test_bytes_that_are_not_utf8_pass_through(client):
    data = bytes(range(256))
    assert client.execute("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())", stdin=data).stdout == data


def test_input_files_are_there_with_content_and_mode(client):
    run = client.api.run
    message = request("import os\nprint(open('data/deep/in.txt').read(), oct(os.stat('data/deep/in.txt').st_mode),"
                      " oct(os.stat('tool').st_mode))")
    message.files.append(run.InputFile(path="data/deep/in.txt", content=b"content"))
    message.files.append(run.InputFile(path="tool", content=b"", executable=True))
    assert client.send(message).stdout == b"content 0o100644 0o100755\n"


def test_output_after_the_main_process_closed_its_streams_is_complete(client):
    source = "import os\nos.write(1, b'x' * 60000)\nos._exit(0)"
    assert len(client.execute(source).stdout) == 60000
