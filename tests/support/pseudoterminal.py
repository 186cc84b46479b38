"""A program on a pseudoterminal, as a person at a terminal has it."""

import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from support.environment import scaled


class Terminal:
    """A program on a pseudoterminal of 30 by 100, driven by a script."""

    def __init__(self, command, environment=None, rows=30, columns=100, cwd=None):
        self.master, slave = pty.openpty()
        self.resize(rows, columns, tell=False)
        self.before = termios.tcgetattr(slave)
        self.slave_path = os.ttyname(slave)

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm", **(environment or {})},
                                        preexec_fn=take_terminal, cwd=cwd)  # pylint: disable=subprocess-popen-preexec-fn
        self.slave = slave  # stays open, so that settings can be read when the program has ended
        self.seen = b""

    def resize(self, rows, columns, tell=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            os.kill(self.process.pid, signal.SIGWINCH)

    def send(self, data):
        os.write(self.master, data)

    def expect(self, pattern, timeout=20):
        """Reads until `pattern` is in what was not matched before; returns everything up to its end."""
        deadline = time.monotonic() + scaled(timeout)
        while True:
            match = re.search(pattern, self.seen, re.DOTALL)
            if match:
                taken, self.seen = self.seen[:match.end()], self.seen[match.end():]
                return taken
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.master], [], [], left)[0], f"no {pattern!r} in {self.seen!r}"
            try:
                self.seen += os.read(self.master, 65536)
            except OSError as error:
                assert error.errno == errno.EIO
                raise AssertionError(f"the terminal ended without {pattern!r}: {self.seen!r}") from error

    def wait(self, timeout=20):
        code = self.process.wait(scaled(timeout))
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.slave)
        os.close(self.master)
