"""Documents whose examples are run as they are printed: each block's output is the block below it, `…` for what differs."""

import contextlib
import io
import os
import re
import subprocess

from support.environment import BIN_DIR, scaled

SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "unix:/run/caisson/caisson.sock"


def sections(text):
    """[(heading, [(language, text)])]; the text before the first heading is the beginning that Python blocks share."""
    parts = SECTION.split(text)
    return [(heading, BLOCK.findall(body)) for heading, body in zip(["beginning", *parts[1::2]], parts[0::2])]


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
        """What the block prints."""
        if language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.chdir(self.directory):
                exec(compile(text.replace(ADDRESS, self.daemon.address), "example", "exec"), self.names)  # pylint: disable=exec-used
            return printed.getvalue()
        environment = {**os.environ, "CAISSON_SOCKET": self.daemon.address, "PATH": f"{BIN_DIR}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", text], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=scaled(60), check=False)
        return done.stdout

    def read(self, text):
        """Runs every block and compares what it prints. Returns how many outputs were compared."""
        compared = 0
        for heading, blocks in sections(text):
            printed = None
            for language, block in blocks:
                if language == "output":
                    assert printed is not None, f"{heading}: an output without a block above it"
                    assert is_like(printed, block), f"{heading}: expected\n{block}\nbut it printed\n{printed}"
                    compared += 1
                    printed = None
                else:
                    assert not printed, f"{heading}: printed, and no output block follows:\n{printed}"
                    printed = self.run(language, block)
        return compared
