"""Files in chunks, over Interact: what arrives, and every chunk that has no place, is too large, or never comes."""

import contextlib
import hashlib
import json
import os
import pty
import subprocess

import grpc
import pytest

from support import processes
from support.cli import Cli
from support.client import Client, request
from support.environment import CAISSON, scaled
from support.interaction import Interaction

MIB = 1024 * 1024
DIGESTS = """
import hashlib, os
for directory, _, names in sorted(os.walk(".")):
    for name in sorted(names):
        path = os.path.join(directory, name)
        print(path[2:], os.stat(path).st_mode & 0o777 == 0o755, hashlib.sha256(open(path, "rb").read()).hexdigest())
"""


class Upload(Interaction):
    """An Interact call whose files come in chunks."""

    def begin(self, count, source=None, **fields):
        return self.send(open=self.api.InteractRequest.Open(request=request(source, **fields), files_to_follow=count))

    def chunk(self, path, data=b"", last=False, executable=False):
        return self.send(file=self.api.InteractRequest.FileChunk(path=path, data=data, last=last, executable=executable))

    def file(self, path, content, executable=False):
        pieces = [content[at:at + MIB] for at in range(0, len(content), MIB)] or [b""]
        for number, piece in enumerate(pieces):
            self.chunk(path, piece, number == len(pieces) - 1, executable)
        return self


@pytest.fixture
def upload(client):
    opened = []

    def start(*args, **fields):
        opened.append(Upload(client).begin(*args, **fields))
        return opened[-1]

    yield start
    for one in opened:
        one.half_close()
        one.cancel()


def listing(files):
    return sorted(f"{path} {executable} {hashlib.sha256(content).hexdigest()}" for path, content, executable in files)


def bundles(daemon):
    """The sizes of the bundles that the dispatcher holds."""
    sizes = []
    for entry in os.scandir(f"/proc/{daemon.dispatcher_pid()}/fd"):
        try:
            if "caisson-bundle" in os.readlink(entry.path):
                sizes.append(os.stat(entry.path).st_size)
        except FileNotFoundError:
            pass
    return sizes


def test_files_arrive_as_they_were_sent(upload):
    files = [("a/tool", os.urandom(3 * MIB + 17), True), ("empty", b"", False), ("small", b"x", False)]
    call = upload(3, DIGESTS)
    for path, content, executable in files:
        call.file(path, content, executable)
    outcome = call.eof().finish()
    assert sorted(outcome.stdout.decode().splitlines()) == listing([*files, ("main.py", DIGESTS.encode(), True)])


def test_the_program_itself_may_be_the_only_file(upload):
    outcome = upload(1, profile="python").file("main.py", b"print('uploaded')").eof().finish()
    assert outcome.stdout == b"uploaded\n"


def test_the_program_may_be_among_the_files(upload):
    call = upload(2, profile="python", main_file="go.py").file("lib.py", b"answer = 42").file("go.py", b"import lib; print(lib.answer)")
    assert call.eof().finish().stdout == b"42\n"


def test_stdin_and_signals_work_after_the_files(upload):
    call = upload(1, "import sys; print(open('f').read() + sys.stdin.read())").chunk("f", b"file ", last=True)
    assert call.send(stdin=b"typed").eof().finish().stdout == b"file typed\n"


@pytest.mark.bulk
def test_as_many_bytes_as_may_be(upload, daemon):
    content = os.urandom(MIB)
    before = processes.resident_bytes(daemon.dispatcher_pid())
    call = upload(1, "import os; print(os.stat('large').st_size)", limits={"disk_bytes": 320 * MIB, "memory_bytes": 512 * MIB})
    size = 256 * MIB - len("import os; print(os.stat('large').st_size)")
    for at in range(0, size, MIB):
        call.chunk("large", content[:min(MIB, size - at)], last=at + MIB >= size)
    assert call.eof().finish().stdout == f"{size}\n".encode()
    assert processes.resident_bytes(daemon.dispatcher_pid()) - before < 64 * MIB, "the content is in the memfd and nowhere else"


@pytest.mark.bulk
def test_more_bytes_than_may_be_are_refused(upload):
    call = upload(1, "pass", limits={"disk_bytes": 512 * MIB})
    for _ in range(257):
        call.chunk("large", bytes(MIB))
    refusal = call.refused()
    assert (refusal.code, refusal.reason, refusal.metadata) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE", {"limit_bytes": str(256 * MIB)})


def test_files_that_do_not_fit_on_the_disk_are_refused_early(upload):
    call = upload(1, "pass", limits={"disk_bytes": 2 * MIB})
    for _ in range(3):
        call.chunk("large", bytes(MIB))
    refusal = call.refused()
    assert (refusal.reason, refusal.fields) == ("INVALID_REQUEST", ["limits.disk_bytes"])


def test_files_and_their_memory_beyond_the_host_are_refused(make_daemon):
    daemon = make_daemon(memory_budget_bytes=256 * MIB)
    client = Client(daemon.address)
    refusal = Upload(client).begin(1, "pass").file("f", bytes(2 * MIB)).refused()
    assert (refusal.reason, refusal.fields) == ("LIMIT_EXCEEDS_HOST", ["limits.memory_bytes"])
    assert str(2 * MIB + 4) in refusal.message
    outcome = Upload(client).begin(1, "print('fits')", limits={"memory_bytes": 192 * MIB}).file("f", bytes(2 * MIB)).eof().finish()
    assert outcome.stdout == b"fits\n"
    client.close()


@pytest.mark.parametrize("count, fields, violations", [
    (2049, {"source": None, "main_file": "x"}, ["files_to_follow"]),
    (2048, {"source": "pass"}, ["files_to_follow"]),
    (2, {"source": None}, ["main_file"]),
    (1, {"source": "pass", "args": ["\0"]}, ["args[0]"]),
])
def test_opening_is_checked_before_any_file_is_sent(upload, count, fields, violations):
    refusal = upload(count, **fields).refused()
    assert (refusal.reason, refusal.fields) == ("INVALID_REQUEST", violations)


def test_as_many_files_as_may_be(upload):
    call = upload(255, "import os; print(len(os.listdir('.')))")
    for number in range(255):
        call.chunk(f"f{number}", last=True)
    assert call.eof().finish().stdout == b"256\n"


def test_main_file_that_never_came_is_refused(upload):
    refusal = upload(1, profile="python", main_file="main.py").file("other.py", b"pass").refused()
    assert (refusal.reason, refusal.fields) == ("INVALID_REQUEST", ["main_file"])


CHUNKS = {
    "not a path of /box": ([("../etc", b"x", True)], "INVALID_REQUEST", "file.path"),
    "a path of the request": ([("main.py", b"x", True)], "INVALID_REQUEST", "file.path"),
    "a path for the second time": ([("a", b"x", True), ("a", b"y", True)], "INVALID_REQUEST", "file.path"),
    "a directory where a file is": ([("a", b"x", True), ("a/b", b"y", True)], "INVALID_REQUEST", "file.path"),
    "a file where a directory is": ([("a/b", b"x", True), ("a", b"y", True)], "INVALID_REQUEST", "file.path"),
    "a file within another": ([("a", b"x", False), ("b", b"y", True)], "INPUT_OUT_OF_ORDER", "file.path"),
    "too much at once": ([("a", bytes(MIB + 1), True)], "INVALID_REQUEST", "file.data"),
    "nothing at all": ([("a", b"", False)], "INVALID_REQUEST", "file.data"),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_chunk_that_is_wrong_ends_the_call(upload, name):
    chunks, reason, field = CHUNKS[name]
    call = upload(3, "pass")
    for path, data, last in chunks:
        call.chunk(path, data, last)
    refusal = call.refused()
    assert (refusal.reason, refusal.fields) == (reason, [field]), refusal


@pytest.mark.parametrize("name", ["stdin", "eof", "signal", "resize", "cancel", "open", "nothing"])
def test_other_messages_before_the_files_are_complete_are_refused(upload, client, name):
    message = client.api.run.InteractRequest
    content = {"stdin": b"x", "eof": message.Eof(), "signal": message.Signal(name="INT"), "resize": message.Resize(rows=1, columns=1),
               "cancel": message.Cancel(), "open": message.Open(request=request("pass"))}
    call = upload(2, "pass").chunk("a", last=True)
    call.send(**({} if name == "nothing" else {name: content[name]}))
    refusal = call.refused()
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INPUT_OUT_OF_ORDER")
    assert refusal.fields == ["message" if name == "nothing" else name]


def test_half_close_before_the_files_are_complete_is_refused(upload):
    refusal = upload(2, "pass").chunk("a", last=True).half_close().refused()
    assert refusal.reason == "INPUT_OUT_OF_ORDER" and refusal.message == "the call ended before its files were complete"


def test_one_file_more_than_announced_cancels_the_run(upload):
    call = upload(1, "import time; time.sleep(60)").chunk("a", last=True).chunk("b", last=True)
    try:
        outcome = call.finish()
        assert outcome.verdict() == "CANCELED" and outcome.result.message == "Canceled: a file came after the run was submitted."
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.bulk
def test_all_uploads_together_have_a_budget_that_is_given_back(upload, client, daemon):
    limits = {"disk_bytes": 320 * MIB, "memory_bytes": 512 * MIB}
    piece = bytes(MIB)
    first, second, third = (upload(1, "import os; print(os.stat('f').st_size)", limits=limits) for _ in range(3))
    for _ in range(255):
        first.chunk("f", piece)
        second.chunk("f", piece)
    assert processes.wait_until(lambda: sum(bundles(daemon)) >= 510 * MIB, scaled(20))
    for _ in range(4):
        third.chunk("f", piece)
    refusal = third.refused()
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
    assert refusal.retry_ms > 0 and "uploads" in refusal.message
    assert client.execute("print(1)").stdout == b"1\n", "others are served meanwhile"
    assert first.chunk("f", last=True).eof().finish().stdout == f"{255 * MIB}\n".encode()
    second.cancel()
    again = upload(1, "import os; print(os.stat('f').st_size)", limits=limits).file("f", bytes(200 * MIB))
    assert again.eof().finish().stdout == f"{200 * MIB}\n".encode()


@pytest.mark.bulk
def test_requests_that_wait_for_their_files_count_too(upload, daemon):
    dispatcher = daemon.dispatcher_pid()
    before = processes.resident_bytes(dispatcher)
    piece = {"large": bytes(15 * MIB)}
    calls = [upload(1, "pass", files=piece, limits={"disk_bytes": 64 * MIB}) for _ in range(34)]
    assert processes.wait_until(lambda: sum(bundles(daemon)) >= 34 * 15 * MIB, scaled(30))
    refusal = upload(1, "pass", files=piece, limits={"disk_bytes": 64 * MIB}).refused()
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
    assert "uploads" in refusal.message
    # The files are in the bundles, and nowhere else.
    assert processes.resident_bytes(dispatcher) - before < 15 * MIB * 34 // 2
    for call in calls:
        call.cancel()
    assert processes.wait_until(lambda: not bundles(daemon), scaled(20))
    assert upload(1, "print(1)", files=piece, limits={"disk_bytes": 64 * MIB}).file("f", b"x").eof().finish().stdout == b"1\n"


def test_client_that_hangs_up_leaves_nothing_behind(upload, daemon):
    call = upload(2, "pass").file("a", bytes(MIB)).chunk("b", b"x")
    assert processes.wait_until(lambda: [size > MIB for size in bundles(daemon)] == [True], scaled(10))
    call.cancel()
    assert processes.wait_until(lambda: not bundles(daemon), scaled(10))


def test_memory_of_the_files_is_for_the_next_run_once_they_are_unpacked(make_daemon):
    daemon = make_daemon(memory_budget_bytes=512 * MIB)
    client = Client(daemon.address)
    half = {"memory_bytes": 256 * MIB}
    waiting = "import sys\nprint('here', flush=True)\nsys.stdin.read()"
    first = Upload(client).begin(1, waiting, limits=half).file("f", bytes(2 * MIB))
    first.until_output(b"here\n")
    assert client.execute("print('beside it')", limits=half).stdout == b"beside it\n"
    assert first.eof().finish().verdict() == "COMPLETED"
    client.close()


@pytest.fixture
def cli(daemon, tmp_path):
    return Cli(daemon.address, tmp_path)


LARGE = "import hashlib; print(hashlib.sha256(open('large', 'rb').read()).hexdigest())"
LARGE_LIMITS = ("--limit", "disk_bytes=128M", "--limit", "memory_bytes=512M")


def test_files_beyond_one_message_are_sent_in_chunks(cli):
    content = os.urandom(40 * MIB)
    large = cli.write("large", content)
    done = cli.run("run", *LARGE_LIMITS, "--file", large, cli.write("main.py", LARGE))
    assert (done.stdout.decode().strip(), done.stderr, done.returncode) == (hashlib.sha256(content).hexdigest(), b"", 0)
    done = cli.run("run", "--json", *LARGE_LIMITS, "--file", large, cli.write("main.py", LARGE + "\nprint(input())"), stdin=b"typed\n")
    assert json.loads(done.stdout)["stdout"] == hashlib.sha256(content).hexdigest() + "\ntyped\n"


def test_refusal_in_the_middle_of_the_files_is_told(cli):
    done = cli.run("run", "--limit", "disk_bytes=1M", "--file", cli.write("large", bytes(40 * MIB)), cli.write("main.py", "pass"))
    assert done.returncode == 125 and done.stderr.count(b"\n") == 1 and b"limits.disk_bytes" in done.stderr


def test_a_person_sees_how_far_the_files_are(cli):
    master, slave = pty.openpty()
    command = [CAISSON, "run", *LARGE_LIMITS, "--no-stdin", "--file", cli.write("large", bytes(20 * MIB)), cli.write("main.py", LARGE)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave, env=cli.environment) as process:
        os.close(slave)
        seen = b""
        with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
            while piece := os.read(master, 65536):
                seen += piece
        assert process.wait(scaled(60)) == 0
    os.close(master)
    assert b"\rcaisson: sending files, 1 of 21 MiB" in seen
    assert seen.endswith(b"\r\x1b[K"), "and the line is gone when they are there"
