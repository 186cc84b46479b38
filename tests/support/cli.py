"""`caisson`, as somebody at a shell calls it."""

import os
import subprocess

from support.environment import CAISSON, scaled


class Cli:
    """Runs `caisson` against one daemon, from a directory of its own."""

    def __init__(self, address, directory):
        self.environment = {**os.environ, "CAISSON_SOCKET": address}
        self.directory = directory

    def write(self, name, content):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run(self, *args, stdin=b"", timeout=60):
        """A CompletedProcess with bytes."""
        return subprocess.run([CAISSON, *args], input=stdin, capture_output=True, env=self.environment, cwd=self.directory,
                              timeout=scaled(timeout), check=False)

    def shell(self, script, *args, timeout=60):
        """The same of a line for bash, in which "$@" is `caisson` with its arguments. Standard input is empty."""
        return subprocess.run(["bash", "-c", script, "bash", CAISSON, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              env=self.environment, cwd=self.directory, timeout=scaled(timeout), check=False)

    def start(self, *args, **popen):
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([CAISSON, *args], env=self.environment, cwd=self.directory, **{**streams, **popen})
