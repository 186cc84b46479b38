"""What came back from a run that was asked for output files, and what must hold of it whatever the program did."""

import dataclasses

from support import protos
from support.client import request

# Content that no run may bring out: of the sandbox's own /etc and /proc as much as of the host's.
FOREIGN = [b"box:x:1000:1000", b"root:x:0:0", b"PYTHONDONTWRITEBYTECODE=", b"\x7fELF\x02\x01\x01"]
SETUP = "import ctypes, os, socket, stat, sys, time\nos.makedirs('out')\n"
MAX_FILES, MAX_REFUSALS, MAX_TOTAL_BYTES = 1024, 256, 256 << 20


@dataclasses.dataclass
class Collected:
    """`files`: {path: content}; `refused`: {path: name of the reason}."""

    outcome: object
    files: dict
    refused: dict

    @property
    def result(self):
        return self.outcome.result

    @property
    def executables(self):
        return {file.path for file in self.result.outputs if file.executable}


def collect(client, source, paths, profile="python", files=None, **fields):
    """Runs a Python program and takes what it leaves at `paths`. Checks what holds of every collection."""
    message = request(profile=profile, files={"main.py": source, **(files or {})}, main_file="main.py", output_paths=paths,
                      **fields)
    outcome = client.send(message, timeout=100)
    reasons = protos.load().run.RefusedOutput.Reason
    pieces = {}
    for event in outcome.events:
        if event.WhichOneof("event") == "output_file":
            piece = event.output_file
            assert piece.offset == len(pieces.setdefault(piece.path, bytearray())), f"{piece.path}: a gap at {piece.offset}"
            pieces[piece.path] += piece.data
    delivered = {path: bytes(content) for path, content in pieces.items()}
    result = outcome.result
    refused = {entry.path: reasons.Name(entry.reason) for entry in result.refused_outputs}

    assert not result.outputs_incomplete, result.message
    assert [file.path for file in result.outputs] == list(delivered), "the result and the events tell of different files"
    assert len(result.outputs) <= MAX_FILES and len(result.refused_outputs) <= MAX_REFUSALS
    assert len(refused) == len(result.refused_outputs), "a path is refused twice"
    assert not set(delivered) & set(refused), "a path is delivered and refused"
    assert sum(map(len, delivered.values())) <= MAX_TOTAL_BYTES
    for file in result.outputs:
        assert file.size_bytes == len(delivered[file.path])
        assert not file.path.startswith("/") and ".." not in file.path.split("/"), file.path
        for foreign in FOREIGN:
            assert foreign not in delivered[file.path], f"{file.path} holds {foreign!r}"
    for entry in result.refused_outputs:
        assert entry.message, f"{entry.path} is refused without a word"
    return Collected(outcome, delivered, refused)
