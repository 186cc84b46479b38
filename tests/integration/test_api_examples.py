"""docs/api-examples.md, run as it is printed: each block's output is the block below it, `…` for what differs each time."""

import contextlib
import io
import os
import re
import subprocess
import sys

from support import protos
from support.environment import BIN_DIR, REPOSITORY, scaled

DOCUMENT = (REPOSITORY / "docs/api-examples.md").read_text()
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "unix:/run/caisson/caisson.sock"


def sections():
    """[(heading, [(language, text)])]; the text before the first heading is the beginning that Python blocks share."""
    parts = SECTION.split(DOCUMENT)
    return [(heading, BLOCK.findall(text)) for heading, text in zip(["beginning", *parts[1::2]], parts[0::2])]


def is_like(printed, expected):
    """Whether the lines are those expected, with `…` for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.strip("\n").split("…"))
    return re.fullmatch(pattern, printed.strip("\n"), re.DOTALL) is not None


class Reader:
    """Runs the blocks of a document from top to bottom, as somebody would who tries them all."""

    def __init__(self, daemon, directory):
        self.names = {}
        self.daemon = daemon
        self.directory = directory

    def run(self, language, text):
        if language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(text.replace(ADDRESS, self.daemon.address), "api-examples.md", "exec"), self.names)  # pylint: disable=exec-used
            return printed.getvalue()
        environment = {**os.environ, "CAISSON_SOCKET": self.daemon.address, "PATH": f"{BIN_DIR}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", text], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=scaled(60), check=False)
        return done.stdout


def test_every_block_prints_what_the_document_says(make_daemon, tmp_path, monkeypatch):
    api = protos.load()
    health = type(sys)("grpc.health.v1")
    health.health_pb2, health.health_pb2_grpc = api.health, api.health_grpc
    monkeypatch.setitem(sys.modules, "grpc.health", type(sys)("grpc.health"))
    monkeypatch.setitem(sys.modules, "grpc.health.v1", health)
    reader = Reader(make_daemon(ready_sandboxes=0), tmp_path)
    compared = 0
    for heading, blocks in sections():
        printed = None
        for language, text in blocks:
            if language == "output":
                assert printed is not None, f"{heading}: an output without a block above it"
                assert is_like(printed, text), f"{heading}: expected\n{text}\nbut it printed\n{printed}"
                compared += 1
                printed = None
            else:
                assert not printed, f"{heading}: printed, and no output block follows:\n{printed}"
                printed = reader.run(language, text)
    reader.names["channel"].close()
    assert compared >= 18


def calls():
    return [method.name for method in protos.load().run.DESCRIPTOR.services_by_name["RunService"].methods]


def test_every_call_that_is_served_has_an_example():
    headings = {heading for heading, _ in sections()}
    assert set(calls()) <= headings
    for heading, blocks in sections():
        if heading in calls():
            assert "python" in dict(blocks), heading
