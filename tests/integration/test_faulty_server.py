"""`caisson` and a server that lies: nothing it sends is taken for a success, kept unasked or left behind silently.

The server is a real one, and the program under test the real one; no daemon and no privilege is needed."""

import itertools
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from support import processes, protos
from support.environment import CAISSON, scaled
from support.faulty_server import FaultyServer, numbered

RUN = protos.load().run
INT64_MAX = (1 << 63) - 1


def accepted():
    return RUN.RunEvent(accepted=RUN.Accepted(name="runs/" + "0" * 32))


def piece(path, data=b"", offset=0, size=None):
    return RUN.RunEvent(output_file=RUN.OutputFile(path=path, data=data, offset=offset,
                                                   size_bytes=len(data) if size is None else size))


def printed(data, offset=0, stream=RUN.STREAM_STDOUT, step="run"):
    return RUN.RunEvent(output=RUN.Output(stream=stream, step=step, offset=offset, data=data))


def finished(**fields):
    fields = {"verdict": RUN.COMPLETED, "exit_code": 0, **fields}
    return RUN.RunEvent(finished=RUN.RunResult(**fields))


class Lied:
    """`caisson` in a directory of its own, before a server that a test scripts."""

    def __init__(self, server, directory):
        self.server = server
        self.directory = directory
        self.outputs = directory / "outputs"
        (directory / "main.py").write_text("pass")

    def call(self, *args, stdin=subprocess.DEVNULL):
        return subprocess.run([CAISSON, *args], stdin=stdin, capture_output=True, cwd=self.directory, check=False,
                              env={**os.environ, "CAISSON_SOCKET": self.server.address}, timeout=scaled(60))

    def run(self, events, *options):
        self.server.events = lambda: numbered(events)
        return self.call("run", "--profile", "python", *options, "main.py")

    def refused(self, events, *options):
        """What was said on standard error by a run that must end as a failure of the service."""
        done = self.run(events, *options)
        assert done.returncode == 125, done
        assert all(line.startswith(b"caisson: ") for line in done.stderr.splitlines()), done.stderr
        return done.stderr.decode()

    def left(self):
        """Every entry below the outputs directory, hidden ones too."""
        return sorted(str(path.relative_to(self.outputs)) for path in self.outputs.rglob("*"))


@pytest.fixture
def lied(tmp_path):
    with FaultyServer(tmp_path).running() as server:
        yield Lied(server, tmp_path)


OUT = ["--output", "out", "--outputs-dir", "outputs"]


def test_good_answers_pass(lied):
    result = finished(exit_code=3, outputs=[RUN.CollectedFile(path="out/a", size_bytes=3)],
                      stdout=RUN.StreamCount(delivered_bytes=2))
    done = lied.run([accepted(), printed(b"hi"), piece("out/a", b"ab", size=3), piece("out/a", b"c", 2, 3), result], *OUT)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"hi", b"")
    assert (lied.outputs / "out/a").read_bytes() == b"abc"


@pytest.mark.parametrize("path", [".bashrc", "outer", "main.py", "out2/x", "a/out"])
def test_file_nobody_asked_for_is_not_written(lied, path):
    said = lied.refused([accepted(), piece("out/a", b"x"), piece(path, b"evil"), finished()], *OUT)
    assert said == f"caisson: failed: the server sent a file nobody asked for: '{path}', which no Caisson server does\n"
    assert lied.left() == ["out", "out/a"]


def test_file_nobody_asked_for_is_not_gathered(lied):
    done = lied.run([accepted(), piece("x", b"evil"), finished(outputs=[RUN.CollectedFile(path="x", size_bytes=4)])], "--json")
    assert (done.returncode, done.stdout) == (125, b"")
    assert b"a file nobody asked for: 'x'" in done.stderr


@pytest.mark.parametrize("path", ["/etc/caisson-was-here", "../up", "out/../../up", "out//x", "out/./x", "out/"])
def test_paths_that_lead_elsewhere_are_refused(lied, path):
    said = lied.refused([accepted(), piece(path, b"evil"), finished()], "--output", ".", "--outputs-dir", "outputs")
    assert "a file whose path leads elsewhere" in said
    assert lied.left() == []
    assert sorted(os.listdir(lied.directory)) == ["faulty.sock", "main.py", "outputs"]


@pytest.mark.parametrize("pieces, complaint", [
    ([piece("out", b"ab", size=6), piece("out", b"ef", 4, 6)], "byte 4 of the file 'out' where byte 2 was due"),
    ([piece("out", b"ab", size=6), piece("out", b"bc", 1, 6)], "byte 1 of the file 'out' where byte 2 was due"),
    ([piece("out", b"cd", 2, 4)], "byte 2 of the file 'out' where byte 0 was due"),
    ([piece("out", b"ab", size=3), piece("out", b"cd", 2, 3)], "more than the 3 bytes of the file 'out'"),
])
def test_gaps_and_overlaps_in_a_file_are_refused_and_leave_nothing(lied, pieces, complaint):
    said = lied.refused([accepted(), *pieces, finished()], *OUT)
    assert f"failed: the server sent {complaint}" in said
    if len(pieces) > 1:
        size = pieces[0].output_file.size_bytes
        assert f"caisson: not returned: out: only 2 of its {size} bytes came, and they are not kept\n" in said
    assert lied.left() == []


@pytest.mark.parametrize("last", [[], [finished()], [finished(outputs=[RUN.CollectedFile(path="out", size_bytes=8)])]])
def test_part_of_a_file_is_removed_and_said(lied, last):
    said = lied.refused([accepted(), piece("out", b"half", size=8), *last], *OUT)
    assert said.startswith("caisson: not returned: out: only 4 of its 8 bytes came, and they are not kept\n")
    assert said.count("\n") == 2
    assert lied.left() == []


def test_part_of_a_file_that_the_result_explains_is_said_and_no_failure(lied):
    refusal = RUN.RefusedOutput(path="out", reason=RUN.RefusedOutput.READ_FAILED, message="It could not be read.")
    done = lied.run([accepted(), piece("out", b"half", size=8), finished(exit_code=4, refused_outputs=[refusal])], *OUT)
    assert done.returncode == 4
    assert done.stderr == (b"caisson: not returned: out: only 4 of its 8 bytes came, and they are not kept\n"
                           b"caisson: not returned: out: It could not be read.\n")
    assert lied.left() == []


def test_part_of_a_file_is_said_when_the_server_goes_away(lied):
    def breaks():
        yield accepted()
        yield piece("out", b"half", size=8)
        raise RuntimeError("the stream breaks")
    said = lied.refused(breaks(), *OUT)
    assert "not returned: out: only 4 of its 8 bytes came" in said
    assert "the run was lost" in said
    assert lied.left() == []


@pytest.mark.parametrize("step", ["run", "compile"])
def test_output_without_end_is_not_gathered_for_json(lied, step):
    data = b"x" * (1 << 20)
    endless = (printed(data, i * len(data), step=step) for i in itertools.count())
    done = lied.run(itertools.chain([accepted()], endless), "--json")
    assert (done.returncode, done.stdout) == (125, b"")
    assert b"caisson: failed: more than 64 MiB of stdout cannot be gathered for --json" in done.stderr
    assert lied.server.ended.wait(scaled(10)), "the call goes on"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_more_output_than_the_limit_allows_is_refused(lied, options):
    said = lied.refused([accepted(), printed(b"abc"), finished()], "--limit", "output_bytes=2", *options)
    assert "more of stdout than the 2 bytes that output_bytes allows" in said


def test_files_of_more_than_a_run_can_return_are_refused_before_they_come(lied):
    said = lied.refused([accepted(), piece("out", b"x", size=1 << 60)], "--json", "--output", "out")
    assert "more than 256 MiB of files" in said


@pytest.mark.parametrize("events, complaint", [
    ([finished()], "`finished` before the run was accepted"),
    ([printed(b"x")], "`output` before the run was accepted"),
    ([accepted(), accepted()], "`accepted` after the run was accepted"),
    ([accepted(), finished(exit_code=1), finished()], "`finished` after the result"),
    ([accepted(), finished(), printed(b"x")], "`output` after the result"),
    ([accepted(), printed(b"ab"), printed(b"d", 3)], "stdout from byte 3 on where byte 2 was due"),
    ([accepted(), printed(b"ab"), finished(stdout=RUN.StreamCount(delivered_bytes=9))], "2 bytes of stdout, but by its own word"),
    ([accepted(), finished(exit_code=256)], "a result that is COMPLETED without an exit code or signal that a process can have"),
    ([accepted(), finished(verdict=RUN.SIGNALED, signal=128)], "a result that is SIGNALED without"),
    ([accepted(), printed(b"x", stream=7)], "output of a stream that is neither stdout nor stderr: 7"),
    ([accepted(), finished(outputs=[RUN.CollectedFile(path="out", size_bytes=1)])], "'out', which never came"),
])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_events_out_of_order_are_a_failure_never_a_success(lied, events, complaint, options):
    assert complaint in lied.refused(events, *options)


def test_missing_event_is_noticed(lied):
    def skipping():
        event = accepted()
        event.sequence = 1
        yield event
        event = finished()
        event.sequence = 3
        yield event
    lied.server.events = skipping
    done = lied.call("run", "--profile", "python", "main.py")
    assert done.returncode == 125
    assert b"event 3 after event 1" in done.stderr


def test_events_of_an_interactive_run_are_held_to_the_same(lied):
    lied.server.events = lambda: numbered([accepted(), piece(".bashrc", b"evil"), finished()])
    done = lied.call("run", "--profile", "python", "--interactive", *OUT, "main.py")
    assert done.returncode == 125
    assert b"a file nobody asked for: '.bashrc'" in done.stderr
    assert lied.left() == []


def test_verdict_nobody_knows_is_a_failure_with_a_line(lied):
    assert lied.refused([accepted(), finished(verdict=99)]) == "caisson: failed: verdict unknown (99)\n"


def test_times_that_json_cannot_show_are_an_error_not_a_crash(lied):
    bad = finished()
    bad.finished.timings.run.seconds = INT64_MAX
    done = lied.run([accepted(), bad], "--json")
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.startswith(b"caisson: the server's answer has no form in JSON: ") and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("seconds", [INT64_MAX, -INT64_MAX - 1])
def test_listed_times_out_of_range_are_no_crash(lied, seconds):
    answer = RUN.ListRunsResponse()
    answer.runs.add(name="runs/1", state=77).create_time.seconds = seconds
    lied.server.answers["ListRuns"] = lambda _: answer
    table = lied.call("ps")
    assert table.returncode == 0 and b"unknown (77)" in table.stdout
    shown = lied.call("ps", "--json")
    assert (shown.returncode, shown.stdout) == (125, b"")
    assert b"has no form in JSON" in shown.stderr


@pytest.mark.early
@pytest.mark.parametrize("page", [{}, {"runs": [{"name": "runs/1"}] * 1000}])
def test_list_without_end_is_given_up(lied, page):
    def answer(_):
        if not page:
            time.sleep(0.05)  # not for something to happen: a server that takes its time, for ten seconds of little work
        return RUN.ListRunsResponse(next_page_token="more", **page)

    lied.server.answers["ListRuns"] = answer
    done = lied.call("ps")
    assert (done.returncode, done.stdout) == (125, b"")
    assert (b"more than 16384 entries" if page else b"deadline") in done.stderr


UNSEEN = "\u009b2J \u202egpj.exe\u202c \u200b \u2028 \x1b[2J \x07 \u2066 \ufeff"


def test_nothing_a_server_says_reaches_the_terminal_as_a_control(lied):
    denial = RUN.Denial(name=UNSEEN, count=1, explanation=UNSEEN, decoded_args=[UNSEEN])
    refusal = RUN.RefusedOutput(path=UNSEEN, message=UNSEEN)
    done = lied.run([accepted(), finished(verdict=RUN.SERVICE_FAILED, message=UNSEEN, denials=[denial],
                                          refused_outputs=[refusal])])
    answer = RUN.ListProfilesResponse()
    answer.profiles.add(name=UNSEEN, display_name=UNSEEN, file_extension=UNSEEN, unavailable_reason=UNSEEN)
    lied.server.answers["ListProfiles"] = lambda _: answer
    lied.server.answers["GetServerInfo"] = lambda _: RUN.ServerInfo(version=UNSEEN, api_revision=UNSEEN)
    lied.server.answers["CancelRun"] = lambda _: RUN.Run(name=UNSEEN)
    said = done.stderr + b"".join(lied.call(*args).stdout for args in (["profile", "list"], ["version"], ["cancel", "x"]))
    said += lied.call("run", "main.py").stderr  # its extension is none of theirs
    assert said.count(b"\\u202e") >= 7
    bad = {character for character in said.decode() if character in UNSEEN and not character.isascii() or ord(character) in (7, 27)}
    assert bad == set()


def test_listed_file_may_not_be_repeated(lied):
    """The object would be larger than what came."""
    files = [RUN.CollectedFile(path="out", size_bytes=3)] * 1000
    said = lied.refused([accepted(), piece("out", b"abc"), finished(outputs=files)], "--json", "--output", "out")
    assert "a list of returned files with 'out' twice" in said
    done = lied.run([accepted(), piece("out", b"abc"), finished(outputs=files[:1])], "--json", "--output", "out")
    assert json.loads(done.stdout)["outputs"][0]["content"] == "YWJj"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_leaves_nothing_of_an_unfinished_file(lied, number):
    released = threading.Event()
    asked_to_cancel = threading.Event()

    def half_a_file():
        yield from numbered([accepted(), piece("out", b"half", size=8)])
        released.wait()

    def cancel(_request):
        asked_to_cancel.set()
        released.wait()
        return RUN.Run()

    lied.server.events = half_a_file
    lied.server.answers["CancelRun"] = cancel
    process = subprocess.Popen([CAISSON, "run", "--profile", "python", *OUT, "main.py"], stdin=subprocess.DEVNULL, cwd=lied.directory,
                               env={**os.environ, "CAISSON_SOCKET": lied.server.address})
    try:
        assert processes.wait_until(lambda: [name for name in lied.left() if name.startswith(".caisson-")], scaled(10))
        process.send_signal(number)
        assert asked_to_cancel.wait(scaled(10)) and process.poll() is None
        process.send_signal(number)
        assert process.wait(scaled(10)) == 130
        assert lied.left() == []
    finally:
        released.set()
        process.kill()
        process.wait()
