"""What the client sends for what the caller gave, and what it takes for a server's events: without a daemon."""

import hashlib

import pytest

from support import protos


@pytest.fixture(name="prepare")
def fixture_prepare(caisson):
    """_request.prepare with the name a profile would give."""
    from caisson import _request  # pylint: disable=import-outside-toplevel
    assert caisson
    return lambda source=None, usual="main.py", **options: _request.prepare("python", source, usual, options)


def names(plan):
    return [(file.path, file.content, file.executable) for file in plan.request.files]


def test_a_source_and_files_become_input_files(caisson, prepare, tmp_path):
    tool = tmp_path / "tool.sh"
    tool.write_bytes(b"#!")
    tool.chmod(0o755)
    (tmp_path / "data").write_bytes(b"\xff")
    plan = prepare("print('ü')", files={"in/data": tmp_path / "data", "tool": tool, "plain": caisson.File(tool, executable=False),
                                        "run": caisson.File(b"x", executable=True), "text": "a"})
    assert plan.request.main_file == "main.py"
    assert names(plan) == [("main.py", "print('ü')".encode(), False), ("in/data", b"\xff", False), ("tool", b"#!", True),
                           ("plain", b"#!", False), ("run", b"x", True), ("text", b"a", False)]
    assert names(prepare(tool, usual=None, files=[tmp_path / "data"])) == [("tool.sh", b"#!", True), ("data", b"\xff", False)]
    assert prepare(tool, usual=None, main_file="other.py").request.main_file == "other.py"
    assert prepare(None, usual=None, files={"a": b""}, main_file="a").request.main_file == "a"


def test_options_become_fields(caisson, prepare):
    request = prepare("x", args=["a", "b"], env={"K": "v"}, stdin="ü", outputs=["out"], packages=["numpy"], labels={"l": "v"}, priority=-3,
                      output_overflow=caisson.OutputOverflow.KILL, memory_bytes=2**26, wall_time_ms=None, pids=3).request
    assert (list(request.args), dict(request.env), request.stdin, list(request.output_paths)) == (["a", "b"], {"K": "v"}, "ü".encode(), ["out"])
    assert (list(request.packages), dict(request.labels), request.output_overflow) == (["numpy"], {"l": "v"}, 2)
    assert request.priority == -3
    assert {field.name: value for field, value in request.limits.ListFields()} == {"memory_bytes": 2**26, "pids": 3}
    assert prepare("x", output_overflow="truncate").request.output_overflow == 1


@pytest.mark.parametrize("options, words", [
    ({"wall_time": 3}, "no such option: wall_time"), ({"args": "abc"}, "args is a list"), ({"outputs": "out"}, "outputs is a list"),
    ({"packages": b"x"}, "packages is a list"), ({"pids": 1.5}, "pids is a whole number"), ({"pids": True}, "pids is a whole number"),
    ({"files": "main.py"}, "files is a mapping"), ({"files": ["main.py"]}, "a list of files has pathlib.Paths"),
    ({"files": {"a": 3}}, "a file's content is"),
])
def test_what_has_the_wrong_type_is_a_type_error(prepare, options, words):
    with pytest.raises(TypeError, match=words):
        prepare("x", **options)


def test_limits_that_no_field_can_hold_are_violations(caisson, prepare):
    with pytest.raises(caisson.InvalidRequest) as error:
        prepare("x", pids=-1, memory_bytes=2**64, wall_time_ms=0)
    assert sorted(violation.field for violation in error.value.violations) == ["limits.memory_bytes", "limits.pids", "limits.wall_time_ms"]
    with pytest.raises(ValueError):
        prepare("x", output_overflow="explode")
    with pytest.raises(FileNotFoundError):
        prepare(None, files={"a": __import__("pathlib").Path("/nonexistent")})


def test_large_files_go_in_chunks(prepare):
    large = bytes(range(256)) * 80_000
    plan = prepare("x", files={"large": large, "empty": b""})
    assert plan.open.open.files_to_follow == 3 and not plan.request.files
    received, complete = {}, []
    for message in list(plan.opening())[1:]:
        assert len(message.file.data) <= 1024 * 1024 and (message.file.data or message.file.last)
        received[message.file.path] = received.get(message.file.path, b"") + message.file.data
        complete += [message.file.path] if message.file.last else []
    assert received == {"main.py": b"x", "large": large, "empty": b""} and complete == ["main.py", "large", "empty"]
    assert prepare("x", files={"small": b"1" * (15 << 20)}).open is None


def test_more_than_all_files_may_have_is_refused_before_it_is_read(caisson, prepare, tmp_path):
    sparse = tmp_path / "sparse"
    with open(sparse, "wb") as file:
        file.truncate(257 << 20)
    with pytest.raises(caisson.RequestTooLarge) as error:
        prepare("x", files=[sparse])
    assert error.value.limit_bytes == 256 << 20


class Stream:
    """A server's events, one by one, as Progress takes them."""

    def __init__(self, prepare, outputs=("out",)):
        from caisson import _progress  # pylint: disable=import-outside-toplevel
        self.run = protos.load().run
        self.progress = _progress.Progress(prepare("x", outputs=list(outputs)), "unix:/x", _progress.Retry())
        self.sequence = 0

    def send(self, sequence=None, **event):
        self.sequence = self.sequence + 1 if sequence is None else sequence
        # As bytes, so that the client's own classes read it.
        from caisson.v1 import run_pb2  # pylint: disable=import-outside-toplevel
        message = self.run.RunEvent(sequence=self.sequence, **event)
        return self.progress.accept(run_pb2.RunEvent.FromString(message.SerializeToString()))

    def accepted(self):
        self.send(accepted=self.run.Accepted(name="runs/1"))
        return self

    def output(self, data, offset=0, step="run"):
        self.send(output=self.run.Output(stream=1, offset=offset, data=data, step=step))
        return self

    def piece(self, path="out/a", data=b"ab", offset=0, size_bytes=2, executable=False):
        self.send(output_file=self.run.OutputFile(path=path, data=data, offset=offset, size_bytes=size_bytes, executable=executable))
        return self

    def finished(self, **fields):
        self.send(finished=self.run.RunResult(verdict=1, exit_code=0, **fields))
        return self


def collected(path="out/a", size_bytes=2, content=b"ab"):
    return {"path": path, "size_bytes": size_bytes, "digest": f"sha256:{hashlib.sha256(content).hexdigest()}"}


def test_a_good_stream_is_taken(prepare):
    stream = Stream(prepare)
    stream.send(queued=stream.run.Queued(position=1))
    stream.accepted().output(b"ab").output(b"c", 2).output(b"compiling", 0, "compile").piece(data=b"a").piece(data=b"b", offset=1)
    assert stream.send() is None  # of a kind that only a newer server knows
    stream.piece("out/empty", b"", size_bytes=0).finished(stdout={"delivered_bytes": 3}, outputs=[collected(), collected("out/empty", 0, b"")])
    stream.progress.ended()
    assert stream.progress.name == "runs/1" and stream.progress.result.ok


BAD = {
    "an event is missing": lambda s: s.accepted().send(sequence=3),
    "an event twice": lambda s: s.accepted().send(sequence=1),
    "output before acceptance": lambda s: s.output(b"a"),
    "acceptance twice": lambda s: s.accepted().accepted(),
    "no name": lambda s: s.send(accepted=s.run.Accepted()),
    "a gap in a stream": lambda s: s.accepted().output(b"a", 5),
    "an unknown step": lambda s: s.accepted().output(b"a", step="link"),
    "output after files": lambda s: s.accepted().piece().output(b"a"),
    "a result after the result": lambda s: s.accepted().finished().finished(),
    "another number of bytes": lambda s: s.accepted().output(b"a").finished(stdout={"delivered_bytes": 2}),
    "a path that leads elsewhere": lambda s: s.accepted().piece("../a"),
    "a file nobody asked for": lambda s: s.accepted().piece("outside"),
    "a file a second time": lambda s: s.accepted().piece().piece("out/b").piece(),
    "a gap in a file": lambda s: s.accepted().piece(offset=1),
    "two sizes": lambda s: s.accepted().piece(data=b"a").piece(data=b"b", offset=1, size_bytes=3),
    "more than the size": lambda s: s.accepted().piece(data=b"abc"),
    "an empty piece": lambda s: s.accepted().piece(data=b""),
    "too large": lambda s: s.accepted().piece(size_bytes=2**28 + 1),
    "a listed file that never came": lambda s: s.accepted().finished(outputs=[collected()]),
    "a part as the whole": lambda s: s.accepted().piece(data=b"a").finished(outputs=[collected()]),
    "another digest": lambda s: s.accepted().piece().finished(outputs=[collected(content=b"xy")]),
    "a part and no word about the rest": lambda s: s.accepted().piece(data=b"a").finished(),
    "no result": lambda s: s.accepted().progress.ended(),
}


@pytest.mark.parametrize("case", BAD)
def test_what_no_server_does_is_a_protocol_error(caisson, prepare, case):
    with pytest.raises(caisson.ProtocolError):
        BAD[case](Stream(prepare))


def test_a_part_of_a_file_is_left_out_where_the_result_says_why(caisson, prepare):
    for fields in ({"outputs_incomplete": True}, {"refused_outputs_unlisted": 1}, {"refused_outputs": [{"path": "out/a", "reason": 10}]}):
        stream = Stream(prepare).accepted().piece(data=b"a").finished(**fields)
        stream.progress.ended()
        assert stream.progress.result.collected == () and isinstance(stream.progress.result, caisson.RunResult)


def test_input_that_would_cancel_the_run_is_an_error_here(caisson):
    from caisson import _input, _request  # pylint: disable=import-outside-toplevel
    plan = _request.prepare("python", "x", "main.py", {}, interactive=True)
    sending = _input.Input(plan)
    for wrong in (lambda: sending.signal("KILL"), lambda: sending.resize(10, 10)):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(TypeError):
        sending.stdin("text")
    assert [len(message.stdin) for message in sending.stdin(b"x" * 70_000)] == [65536, 70_000 - 65536]
    assert [message.signal.name for message in sending.signal("SIGINT")] == ["INT"]
    assert len(list(sending.eof())) == 1 and not list(sending.eof())
    with pytest.raises(ValueError, match="closed"):
        sending.stdin(b"x")
    with_terminal = _input.Input(_request.prepare("python", "x", "main.py", {}, interactive=True, terminal=caisson.Terminal(10, 20)))
    for size in ((0, 80), (24, 1001)):
        with pytest.raises(ValueError, match="1 to 1000"):
            with_terminal.resize(*size)
